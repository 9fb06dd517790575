package main

import (
	"context"
	"fmt"
	"os"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/clients"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/images"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/measure"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/proxy"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/servers"
)

// trial is a push that several clients do in turn, each to a registry that is empty.
type trial struct {
	name     string
	registry servers.Kind
	images   []*images.Image
	proxy    proxy.Options
	direct   bool // without the proxy: nothing is counted, and nothing is in the way
	again    bool // push a second time, when nothing has changed, and measure that too
	newTag   bool // the second time is under another tag
	clients  []clients.Client
	rounds   int // 0 is what the user asked for
}

// sample is one push.
type sample struct {
	measure.Usage
	proxy.Counts
}

// samples of one client, in the order of the rounds.
type samples map[string][]sample

// turns runs the trial: every client once per round, one after the other, so that
// what disturbs the machine disturbs all of them.
func (b *bench) turns(ctx context.Context, t trial) (first, second samples, err error) {
	first, second = samples{}, samples{}
	rounds := t.rounds
	if rounds == 0 {
		rounds = b.rounds
	}
	for round := range rounds {
		for n := range t.clients {
			client := t.clients[(n+round)%len(t.clients)]
			got, err := b.push(ctx, t, client)
			if err != nil {
				return nil, nil, fmt.Errorf("%s with %s: %w", t.name, client.Name, err)
			}
			first[client.Name] = append(first[client.Name], got[0])
			if t.again {
				second[client.Name] = append(second[client.Name], got[1])
			}
			b.say("%s, round %d of %d: %s %.2f s, %d requests%s", t.name, round+1, rounds, client.Name,
				got[0].Wall.Seconds(), got[0].Requests, failure(got[0]))
			if b.verbose && client.Name == clients.Ours {
				for _, s := range got {
					for _, entry := range s.Log {
						fmt.Fprintln(b.progress, "  ", entry)
					}
				}
			}
		}
	}
	return first, second, nil
}

func failure(s sample) string {
	if len(s.Failed) == 0 {
		return ""
	}
	return fmt.Sprintf(", %d failed: %s", len(s.Failed), s.Failed[0])
}

// push pushes once, or twice if the trial says so, to a new registry.
func (b *bench) push(ctx context.Context, t trial, client clients.Client) (got []sample, err error) {
	dir, remove, err := b.scratch("push")
	if err != nil {
		return nil, err
	}
	defer remove()
	data := dir + "/registry"
	if err := os.Mkdir(data, 0o755); err != nil {
		return nil, err
	}
	registry, err := t.registry.Start(ctx, data)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closed := registry.Close(); err == nil {
			err = closed
		}
	}()
	addr, counts, reset := registry.Addr(), func() proxy.Counts { return proxy.Counts{} }, func() {}
	if !t.direct {
		between, err := proxy.Start(addr, t.proxy)
		if err != nil {
			return nil, err
		}
		defer between.Close() //nolint:errcheck // nothing is left to go wrong
		addr, counts, reset = between.Addr(), between.Counts, between.Reset
	}
	times := 1
	if t.again {
		times = 2
	}
	for n := range times {
		home := fmt.Sprintf("%s/home%d", dir, n)
		if err := os.Mkdir(home, 0o755); err != nil {
			return nil, err
		}
		all := t.images
		if n > 0 && t.newTag {
			all = images.Tagged(all, "another")
		}
		task, err := client.Task(home, addr, all)
		if err != nil {
			return nil, err
		}
		reset()
		usage, err := b.launcher.Run(ctx, task)
		if err != nil {
			return nil, err
		}
		got = append(got, sample{usage, counts()})
	}
	return got, nil
}
