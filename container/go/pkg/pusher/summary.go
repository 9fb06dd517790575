package pusher

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/push"
)

// Summary is what a run did, for scripts: the document that --json writes.
type Summary struct {
	Version  int            `json:"version"` // 1
	Images   []ImageSummary `json:"images"`
	Bytes    int64          `json:"bytes_sent"` // over the network, protocol overhead included
	Uploaded int64          `json:"blobs_uploaded"`
	Mounted  int64          `json:"blobs_mounted"`
	Present  int64          `json:"blobs_present"` // found in the repository
	Requests int64          `json:"requests"`      // about repositories, repeated ones included
	Retries  int64          `json:"retries"`
	Seconds  float64        `json:"seconds"`
}

// ImageSummary is what became of one image.
type ImageSummary struct {
	Target    string `json:"target,omitempty"`
	Reference string `json:"reference"`
	Digest    string `json:"digest"` // of the manifest
	// Status is pushed, unchanged (the reference named the image before), skipped or
	// tagged (the digest was there before, and the tag had to be set), not_run or failed.
	Status string `json:"status"`
	Error  string `json:"error,omitempty"`
}

func summary(tasks []task, results []push.Result, stats *distribution.Stats, sent int64, took time.Duration) Summary {
	s := Summary{
		Version:  1,
		Images:   make([]ImageSummary, len(tasks)),
		Bytes:    sent,
		Uploaded: stats.Uploaded.Load(),
		Mounted:  stats.Mounted.Load(),
		Present:  stats.Present.Load(),
		Requests: stats.Requests.Load(),
		Retries:  stats.Retries.Load(),
		Seconds:  took.Seconds(),
	}
	for i, t := range tasks {
		s.Images[i] = ImageSummary{
			Target:    t.plan.Target,
			Reference: t.dst.text,
			Digest:    t.image.Digest.String(),
			Status:    status(results[i]),
		}
		if err := results[i].Err; err != nil {
			s.Images[i].Error = err.Error()
		}
	}
	return s
}

func status(r push.Result) string {
	switch {
	case errors.Is(r.Err, push.ErrNotRun):
		return "not_run"
	case r.Err != nil:
		return "failed"
	case r.Tagged:
		return "tagged"
	case r.Skipped:
		return "skipped"
	case r.Unchanged:
		return "unchanged"
	}
	return "pushed"
}

func (s Summary) write(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(s)
}
