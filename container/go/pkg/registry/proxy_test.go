package registry

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestProxy asks another process, since a process reads its proxies once.
func TestProxy(t *testing.T) {
	if asked := os.Getenv("ASK_PROXY_FOR"); asked != "" {
		for _, address := range strings.Fields(asked) {
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			proxy, err := New(Options{}).shared.verified.Proxy(&http.Request{URL: u})
			t.Logf("%s: %v, %v.", address, proxy, err)
		}
		return
	}
	cases := map[string]string{
		"https://r.example/v2/":           "http://proxy.example:3128",
		"https://r.example:5000/v2/a/b/":  "http://proxy.example:3128",
		"http://r.example:5000/v2/":       "http://plain.example:3128",
		"https://10.1.2.3:5000/v2/":       "http://proxy.example:3128",
		"https://[fd00::1]:5000/v2/":      "http://proxy.example:3128",
		"https://127.0.0.2:5000/v2/":      "<nil>", // loopback never goes through a proxy
		"https://[::1]:5000/v2/":          "<nil>",
		"https://own.example:5000/v2/":    "<nil>",
		"https://sub.corp.example/v2/":    "<nil>",
		"https://10.9.0.1:5000/v2/":       "<nil>",
		"https://ported.example:5000/v2/": "<nil>",
		"https://ported.example/v2/":      "http://proxy.example:3128",
		"https://[fd11::2]:5000/v2/":      "<nil>",
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestProxy$", "-test.v")
	cmd.Env = append(os.Environ(), "ASK_PROXY_FOR="+strings.Join(slices.Collect(maps.Keys(cases)), " "),
		"HTTPS_PROXY=http://proxy.example:3128", "HTTP_PROXY=http://plain.example:3128",
		"NO_PROXY=own.example,.corp.example,10.9.0.0/16,ported.example:5000,fd11::/16", "https_proxy=", "http_proxy=", "no_proxy=", "REQUEST_METHOD=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for asked, want := range cases {
		t.Run(asked, func(t *testing.T) {
			if !strings.Contains(string(out), asked+": "+want+", <nil>.") {
				t.Errorf("want %s:\n%s", want, out)
			}
		})
	}
}

// A proxy that is down tells nothing about a registry: what is only allowed to speak plain
// HTTP is not spoken to so because of that.
func TestProxyDownIsNoPlainHTTP(t *testing.T) {
	const host = "r.example" // without a port, HTTP would be another one than HTTPS
	if os.Getenv("DECIDE_BEHIND_PROXY") != "" {
		client := New(Options{Rules: rules(host, true)})
		_, err := client.Decide(t.Context(), host)
		t.Logf("proxy: %v.", errors.Is(client.Explain(repo(t, host+"/a"), err), ErrProxy))
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestProxyDownIsNoPlainHTTP$", "-test.v")
	cmd.Env = append(os.Environ(), "DECIDE_BEHIND_PROXY=1", "HTTPS_PROXY=http://"+closedPort, "https_proxy=", "NO_PROXY=", "no_proxy=", "REQUEST_METHOD=")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "proxy: true.") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestProxyInTheWay(t *testing.T) {
	refusing := func(code int) string {
		return serve(t, "127.0.0.2", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }), nil)
	}
	for _, c := range []struct{ name, proxy, want string }{
		{"closed", closedPort, "connection refused"},
		{"forbidden", refusing(http.StatusForbidden), "403 Forbidden"},
		{"wants a password", refusing(http.StatusProxyAuthRequired), "407 Proxy"},
		{"cannot connect", refusing(http.StatusBadGateway), "502 Bad Gateway"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := New(Options{})
			client.shared.verified.Proxy = http.ProxyURL(&url.URL{Scheme: "http", User: url.UserPassword(user, password), Host: c.proxy})
			target := repo(t, "r.example:5000/team/app")
			err := client.Explain(target, head(client, target))
			if !errors.Is(err, ErrProxy) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.proxy) {
				t.Errorf("got %v", err)
			}
			if strings.Contains(err.Error(), password) {
				t.Errorf("the password is in %v", err)
			}
		})
	}
}
