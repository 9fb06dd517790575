#!/bin/sh
echo STABLE_VERSION v2.3.4
echo STABLE_TEAM backend
