package image

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

const maxPort = 65535

// ports gives the keys of ExposedPorts for a port (80), a port and its protocol
// (80/udp), or a range of ports (8000-8010/tcp).
func ports(text string) ([]string, error) {
	form := regexp.MustCompile(`^([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/(tcp|udp|sctp))?$`)
	match := form.FindStringSubmatch(strings.ToLower(text))
	if match == nil {
		return nil, fmt.Errorf("port %q: write a port or a range of ports, and tcp, udp or sctp: 80, 53/udp, 8000-8010/tcp", text)
	}
	first, err := port(match[1])
	if err != nil {
		return nil, fmt.Errorf("port %q: %w", text, err)
	}
	last := first
	if match[2] != "" {
		if last, err = port(match[2]); err != nil {
			return nil, fmt.Errorf("port %q: %w", text, err)
		}
	}
	if last < first {
		return nil, fmt.Errorf("port %q: a range begins with its lowest port", text)
	}
	protocol := match[3]
	if protocol == "" {
		protocol = "tcp"
	}
	var keys []string
	for p := first; p <= last; p++ {
		keys = append(keys, fmt.Sprintf("%d/%s", p, protocol))
	}
	return keys, nil
}

func port(text string) (int, error) {
	p, err := strconv.Atoi(text)
	if err != nil || p < 1 || p > maxPort {
		return 0, fmt.Errorf("%s is not between 1 and %d", text, maxPort)
	}
	return p, nil
}
