// Package compress writes layer blobs: gzip, zstd or plain, on all cores, with
// bytes that depend on the input and the level alone, not on the number of cores
// or on timing. The input is cut into blocks of a fixed size, each compressed on
// its own and written in order.
package compress

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

// Algorithms that NewWriter knows.
const (
	Gzip = "gzip" // RFC 1952, one member; levels 1 to 9
	Zstd = "zstd" // RFC 8878, one frame per block; levels 1 to 22
	None = "none" // the input itself; level 0 only
)

// maxWorkers bounds the memory in use on machines with many cores: hashing one
// stream is slower than what this many workers can compress.
const maxWorkers = 8

// ErrLevel says that an algorithm does not have the level asked for.
var ErrLevel = errors.New("compression level out of range")

// ErrAlgorithm says that there is no such algorithm.
var ErrAlgorithm = errors.New("unknown compression algorithm")

var errClosed = errors.New("write to a closed compressor")

// Options says how a Writer compresses.
type Options struct {
	Algorithm string
	Level     int // 0 is the algorithm's default
	// Raw, when set, gets the uncompressed bytes in order, from a goroutine of the
	// Writer's own: a place for the hash that makes the diff id.
	Raw io.Writer
	// Blob, when set, gets what the Writer writes, in order, from another goroutine of
	// its own: a place for the hash that makes the digest.
	Blob io.Writer
}

// codec is what tells one algorithm from another.
type codec interface {
	blockSize() int
	dictSize() int // how much of the block before helps to compress the next
	newEncoder() (encoder, error)
	header() []byte
	// trailer ends a stream of the given checksum (CRC-32, IEEE) and length in bytes.
	trailer(crc uint32, size int64) []byte
}

// encoder compresses blocks, one at a time. What it returns for a block must not
// depend on the blocks it was given earlier.
type encoder interface {
	encode(dst, dict, block []byte) ([]byte, error)
}

// block travels through the pipeline: filled by Write, hashed and compressed at
// the same time, written, hashed as it was written, and then filled again.
type block struct {
	buf        []byte // dictionary, then data
	dict, n    int    // bytes used of either; the dictionary ends where the data starts
	out        []byte
	err        error
	compressed chan struct{}
	hashed     chan struct{}
}

// Writer compresses what is written to it. Its methods must not be called from
// several goroutines at once. Close must be called whatever happens.
type Writer struct {
	dst   io.Writer
	raw   io.Writer
	blob  io.Writer
	codec codec

	cur       *block
	allocated int
	limit     int

	free, toHash, toCompress, toWrite, toSum chan *block

	failed  atomic.Bool // set once err is; Write stops early then
	err     error       // owned by the writing goroutine until wg is done
	rawErr  error       // owned by the hashing goroutine until it is done
	blobErr error       // owned by the summing goroutine until wg is done
	crc     uint32
	size    int64
	wg      sync.WaitGroup
	hashing sync.WaitGroup
	closed  bool
}

// NewWriter returns a Writer of compressed bytes to dst. Errors wrap ErrLevel and
// ErrAlgorithm.
func NewWriter(dst io.Writer, o Options) (*Writer, error) {
	c, err := newCodec(o)
	if err != nil {
		return nil, err
	}
	workers := min(runtime.GOMAXPROCS(0), maxWorkers)
	encoders := make([]encoder, workers)
	for i := range encoders {
		if encoders[i], err = c.newEncoder(); err != nil {
			return nil, fmt.Errorf("preparing %s compression: %w", o.Algorithm, err)
		}
	}
	limit := 2*workers + 2
	w := &Writer{
		dst: dst, raw: o.Raw, blob: o.Blob, codec: c, limit: limit,
		free: make(chan *block, limit), toHash: make(chan *block, limit),
		toCompress: make(chan *block, limit), toWrite: make(chan *block, limit),
		toSum: make(chan *block, limit),
	}
	w.wg.Add(workers + 2)
	w.hashing.Add(1)
	go w.hash()
	go w.write()
	go w.sum()
	for _, e := range encoders {
		go w.compress(e)
	}
	return w, nil
}

func newCodec(o Options) (codec, error) {
	highest, known := map[string]int{Gzip: 9, Zstd: 22, None: 0}[o.Algorithm]
	switch {
	case !known:
		return nil, fmt.Errorf("%w %q: use gzip, zstd or none", ErrAlgorithm, o.Algorithm)
	case o.Level < 0 || o.Level > highest:
		return nil, fmt.Errorf("%w: %s has 0 (its default) to %d, not %d", ErrLevel, o.Algorithm, highest, o.Level)
	}
	switch o.Algorithm {
	case Gzip:
		return gzipCodec{level: o.Level}, nil
	case Zstd:
		return zstdCodec{level: o.Level}, nil
	}
	return plainCodec{}, nil
}

// Write compresses p, sooner or later.
func (w *Writer) Write(p []byte) (int, error) {
	if w.closed {
		return 0, errClosed
	}
	total := len(p)
	for len(p) > 0 {
		if w.failed.Load() {
			// The cause comes from Close: it is not yet safe to read here.
			return total - len(p), errors.New("writing the compressed data failed")
		}
		if w.cur == nil {
			w.cur = w.take()
		}
		b := w.cur
		start := w.codec.dictSize()
		n := copy(b.buf[start+b.n:], p)
		b.n += n
		p = p[n:]
		if start+b.n == len(b.buf) {
			w.send()
		}
	}
	return total, nil
}

// take returns a block that is nobody's, waiting for one when enough are under way.
func (w *Writer) take() *block {
	if w.allocated < w.limit {
		select {
		case b := <-w.free:
			return b
		default:
		}
		w.allocated++
		return &block{
			buf:        make([]byte, w.codec.dictSize()+w.codec.blockSize()),
			compressed: make(chan struct{}, 1),
			hashed:     make(chan struct{}, 1),
		}
	}
	return <-w.free
}

// send hands the current block on and begins the next with its tail as dictionary.
func (w *Writer) send() {
	b := w.cur
	w.cur = nil
	var next *block
	if d := min(w.codec.dictSize(), b.n); d > 0 {
		start := w.codec.dictSize()
		next = w.take()
		copy(next.buf[start-d:start], b.buf[start+b.n-d:start+b.n])
		next.dict = d
	}
	w.toHash <- b
	w.toCompress <- b
	w.toWrite <- b
	w.cur = next
}

// Close compresses what is left, ends the stream and waits until all is written.
// It does not close the underlying writer.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	if w.cur != nil && w.cur.n > 0 {
		w.toHash <- w.cur
		w.toCompress <- w.cur
		w.toWrite <- w.cur
	}
	w.cur = nil
	close(w.toHash)
	close(w.toCompress)
	close(w.toWrite)
	w.wg.Wait()
	if w.err == nil {
		w.err = errors.Join(w.rawErr, w.blobErr)
	}
	return w.err
}

func (w *Writer) hash() {
	defer w.hashing.Done()
	for b := range w.toHash {
		start := w.codec.dictSize()
		data := b.buf[start : start+b.n]
		w.crc = crc32.Update(w.crc, crc32.IEEETable, data)
		w.size += int64(len(data))
		if w.raw != nil && w.rawErr == nil {
			_, w.rawErr = w.raw.Write(data)
		}
		b.hashed <- struct{}{}
	}
}

func (w *Writer) compress(e encoder) {
	defer w.wg.Done()
	for b := range w.toCompress {
		start := w.codec.dictSize()
		if !w.failed.Load() {
			b.out, b.err = e.encode(b.out[:0], b.buf[start-b.dict:start], b.buf[start:start+b.n])
		}
		b.compressed <- struct{}{}
	}
}

// write goes on emptying the pipeline after an error, so that nobody waits forever.
func (w *Writer) write() {
	defer w.wg.Done()
	w.put(w.codec.header(), nil)
	for b := range w.toWrite {
		<-b.compressed
		w.put(b.out, b.err)
		w.toSum <- b
	}
	close(w.toSum)
	w.hashing.Wait()
	w.put(w.codec.trailer(w.crc, w.size), nil)
}

// sum hands what was written to the hash, and the blocks back.
func (w *Writer) sum() {
	defer w.wg.Done()
	take := func(p []byte) {
		if w.blob != nil && w.blobErr == nil && len(p) > 0 {
			_, w.blobErr = w.blob.Write(p)
		}
	}
	take(w.codec.header())
	for b := range w.toSum {
		take(b.out)
		<-b.hashed
		b.n, b.dict, b.err = 0, 0, nil
		w.free <- b
	}
	w.hashing.Wait()
	take(w.codec.trailer(w.crc, w.size))
}

func (w *Writer) put(p []byte, err error) {
	if w.err != nil {
		return
	}
	if err == nil && len(p) > 0 {
		_, err = w.dst.Write(p)
	}
	if err != nil {
		w.err = err
		w.failed.Store(true)
	}
}
