package main

import (
	"context"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/clients"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/images"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/proxy"
)

// gibibyte makes one image of 20 layers, and pushes it.
func (b *bench) gibibyte(ctx context.Context, t trial) (samples, int64, error) {
	dir, remove, err := b.scratch("big")
	if err != nil {
		return nil, 0, err
	}
	defer remove()
	if t.images, err = images.Make(dir, images.Recipe{Images: 1, Own: 20, Size: 50 * mib}); err != nil {
		return nil, 0, err
	}
	got, _, err := b.turns(ctx, t)
	return got, images.UniqueBytes(t.images), err
}

// big pushes a large image to a registry next door.
func (b *bench) big(ctx context.Context) error {
	fewer := clients.Pusher(b.imagetool, 4) // crane's number
	fewer.Name += " --jobs 4"
	all := []clients.Client{b.pusher, b.crane, fewer, b.regctl, b.skopeo}
	got, _, err := b.gibibyte(ctx, trial{name: "20 x 50 MiB", registry: b.debian, direct: true, clients: all})
	if err != nil {
		return err
	}
	b.table("Cold, loopback, docker-registry, no proxy between:", names(all), got, 0)
	b.figures(
		figure{"wall", got.ratio(wall, clients.Ours, b.crane.Name), 1, "x crane"},
		figure{"CPU", got.ratio(cpu, clients.Ours, b.crane.Name), 1, "x crane"},
		figure{"peak RSS", column(peak).worst(got[clients.Ours]), 20, "MiB"},
	)
	return nil
}

// far pushes a large image to a registry that takes its time.
func (b *bench) far(ctx context.Context) error {
	all := []clients.Client{b.pusher, b.crane, b.regctl, b.skopeo}
	got, unique, err := b.gibibyte(ctx, trial{
		name: "20 x 50 MiB, 20 ms", registry: b.debian, proxy: proxy.Options{Delay: distance}, clients: all,
	})
	if err != nil {
		return err
	}
	b.table("Cold, docker-registry, 20 ms per request:", names(all), got, unique)
	b.figures(
		figure{"wall", got.ratio(wall, clients.Ours, b.crane.Name), 0.7, "x crane"},
		figure{"requests about 21 blobs", column(blobRequests).worst(got[clients.Ours]), 42, ""},
		figure{"requests in flight", column(inFlight).worst(got[clients.Ours]), clients.Jobs, ""},
	)
	return nil
}
