package process_test

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/process"
)

func TestFree(t *testing.T) {
	addr, err := process.Free()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialing %s: %v", addr, err)
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	// What another process would have to do to be given the same.
	if _, err := net.Listen("tcp", net.JoinHostPort("127.0.0.4", port)); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the port is not kept: %v", err)
	}
}
