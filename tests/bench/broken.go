package main

import (
	"context"
	"fmt"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/clients"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/images"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/servers"
)

// broken cuts the connection when most of a layer has been sent.
func (b *bench) broken(ctx context.Context) error {
	dir, remove, err := b.scratch("broken")
	if err != nil {
		return err
	}
	defer remove()
	const layer = 64 * mib
	all, err := images.Make(dir, images.Recipe{Images: 1, Own: 1, Size: layer})
	if err != nil {
		return err
	}
	unique := images.UniqueBytes(all)
	for _, at := range []struct {
		kind  servers.Kind
		note  string
		bytes float64
	}{
		{b.distribution, "keeps what it got of an upload", 1.05},
		{b.olareg, "keeps what it got of an upload", 1.05},
		{b.debian, "drops an upload that broke", 2},
		{b.memory, "drops an upload that broke", 2},
	} {
		t := trial{
			name: "64 MiB, " + at.kind.Name, registry: at.kind, images: all,
			clients: []clients.Client{b.pusher, b.crane, b.regctl, b.skopeo},
		}
		whole, _, err := b.turns(ctx, t)
		if err != nil {
			return err
		}
		t.name += ", cut"
		t.proxy.CutAt = layer / 10 * 9
		cut, _, err := b.turns(ctx, t)
		if err != nil {
			return err
		}
		title := fmt.Sprintf("%s (%s), one layer of 64 MiB, cut at 90 %%:", at.kind.Name, at.note)
		b.table(title, names(t.clients), cut, unique)
		extra := column(requests).worst(cut[clients.Ours]) - column(requests).median(whole[clients.Ours])
		b.figures(
			figure{"bytes sent", column(sent).worst(cut[clients.Ours]) / float64(unique), at.bytes, "x unique"},
			figure{"more requests than without a cut", extra, 10, ""},
			figure{"pushes that failed", column(failed).worst(cut[clients.Ours]), 0, ""},
		)
	}
	return nil
}
