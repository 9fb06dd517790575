package main

import (
	"context"
	"fmt"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/clients"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/images"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/proxy"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/servers"
)

// distance is the delay of a registry that is not next door.
const distance = 20 * time.Millisecond

// many pushes 30 images with shared layers into 30 repositories, and once more.
func (b *bench) many(ctx context.Context) error {
	dir, remove, err := b.scratch("many")
	if err != nil {
		return err
	}
	defer remove()
	all, err := images.Make(dir, images.Recipe{Images: 30, Shared: 5, Own: 1, Size: 1_000_000})
	if err != nil {
		return err
	}
	unique := images.UniqueBytes(all)
	for _, at := range []struct {
		kind servers.Kind
		note string
		most float64
	}{
		{b.debian, "blobs have to be mounted, an upload takes two requests", 345},
		{b.distribution, "blobs have to be mounted, an upload takes two requests", 345},
		{b.olareg, "blobs have to be mounted, an upload may take one request", 280},
		{b.memory, "all repositories have every blob, an upload may take one request", 280},
	} {
		t := trial{
			name: "30 images, " + at.kind.Name, registry: at.kind, images: all, again: true,
			proxy:   proxy.Options{Delay: distance},
			clients: []clients.Client{b.pusher, b.multiWrite, b.write, b.crane, b.regctl, b.skopeo},
		}
		cold, same, err := b.turns(ctx, t)
		if err != nil {
			return err
		}
		b.table(fmt.Sprintf("Cold, %s (%s), 20 ms per request, %.1f MB unique:", at.kind.Name, at.note, float64(unique)/1e6),
			names(t.clients), cold, unique)
		ours := cold[clients.Ours]
		b.figures(
			figure{"requests", column(requests).worst(ours), at.most, ""},
			figure{"bytes sent", column(sent).worst(ours) / float64(unique), 1.02, "x unique"},
			figure{"requests in flight", column(inFlight).worst(ours), clients.Jobs, ""},
			figure{"pushes that failed", column(failed).worst(ours), 0, ""},
		)
		b.table(fmt.Sprintf("Nothing changed, %s:", at.kind.Name), names(t.clients), same, unique)
		ours = same[clients.Ours]
		b.figures(
			figure{"requests", column(requests).worst(ours), 31, ""},
			figure{"uploads", column(uploads).worst(ours), 0, ""},
			figure{"wall", column(wall).median(ours), 1, "s"},
			figure{"requests in flight", column(inFlight).worst(ours), clients.Jobs, ""},
		)
	}
	return b.fewer(ctx, all)
}

// fewer pushes the images with fewer requests in flight.
func (b *bench) fewer(ctx context.Context, all []*images.Image) error {
	fmt.Fprintf(b.out, "\nOther values of `--jobs`, docker-registry:\n")
	for _, jobs := range []int{1, 2, 16} {
		pusher := clients.Pusher(b.imagetool, jobs)
		got, _, err := b.turns(ctx, trial{
			name: fmt.Sprintf("30 images, --jobs %d", jobs), registry: b.debian, images: all,
			proxy: proxy.Options{Delay: distance}, clients: []clients.Client{pusher}, rounds: 1,
		})
		if err != nil {
			return err
		}
		b.figures(figure{fmt.Sprintf("requests in flight with `--jobs %d`", jobs), column(inFlight).worst(got[clients.Ours]), float64(jobs), ""})
	}
	return nil
}

// one pushes one image again that has not changed.
func (b *bench) one(ctx context.Context) error {
	dir, remove, err := b.scratch("one")
	if err != nil {
		return err
	}
	defer remove()
	all, err := images.Make(dir, images.Recipe{Images: 1, Shared: 5, Own: 1, Size: 1_000_000})
	if err != nil {
		return err
	}
	t := trial{
		name: "one image", registry: b.debian, images: all, again: true, proxy: proxy.Options{Delay: distance},
		clients: []clients.Client{b.pusher, b.crane, b.regctl, b.skopeo},
	}
	cold, same, err := b.turns(ctx, t)
	if err != nil {
		return err
	}
	unique := images.UniqueBytes(all)
	b.table("Cold, docker-registry, 6 layers of 1 MB, 20 ms per request:", names(t.clients), cold, unique)
	b.table("Nothing changed:", names(t.clients), same, unique)
	b.figures(figure{"requests of a push that changes nothing", column(requests).worst(same[clients.Ours]), 3, ""})

	for _, at := range []servers.Kind{b.debian, b.distribution, b.olareg, b.memory} {
		t.name, t.registry, t.newTag = "new tag, "+at.Name, at, true
		_, tagged, err := b.turns(ctx, t)
		if err != nil {
			return err
		}
		b.table("The same image under another tag, "+at.Name+":", names(t.clients), tagged, unique)
		b.figures(figure{"blobs sent again", column(uploads).worst(tagged[clients.Ours]), 0, ""})
	}
	return nil
}
