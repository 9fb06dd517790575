#!/bin/sh
echo STABLE_TEAM backend
echo STABLE_TIME 1600000000
echo BUILD_HOST_OF_TEST volatile
