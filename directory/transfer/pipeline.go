package transfer

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
)

// batchSize is how many records are written together, and batchBytes how many bytes
// of a file they may be: what is in memory must not depend on the records.
const (
	batchSize  = 1000
	batchBytes = 8 << 20
)

// batch is a run of records in the order of the file.
type batch struct {
	raws  []raw
	items []item
	ready chan struct{} // closed when items are checked
	err   error         // why the file ends here, nil when it does not
}

// pipeline reads and checks a file beside the database. It is never more than a
// few batches ahead, whatever the size of the file.
type pipeline struct {
	checker *checker
	skip    int64 // records at the start that were dealt with before
}

// run returns the batches of a file in their order. Whoever stops early ends ctx.
func (p *pipeline) run(ctx context.Context, r reader) <-chan *batch {
	workers := runtime.GOMAXPROCS(0)
	ordered, work := make(chan *batch, workers), make(chan *batch, workers)
	var checking sync.WaitGroup
	for range workers {
		checking.Go(func() {
			for b := range work {
				b.items = make([]item, len(b.raws))
				for n, raw := range b.raws {
					b.items[n] = p.checker.check(raw)
				}
				b.raws = nil
				close(b.ready)
			}
		})
	}
	go func() {
		defer close(ordered)
		defer checking.Wait()
		defer close(work)
		if err := p.pass(r); err != nil {
			sendBatch(ctx, ordered, work, &batch{err: err})
			return
		}
		for {
			b := read(r)
			if !sendBatch(ctx, ordered, work, b) || b.err != nil {
				return
			}
		}
	}()
	return ordered
}

// pass goes over the records that were dealt with before.
func (p *pipeline) pass(r reader) error {
	for range p.skip {
		if _, err := r.next(); err != nil {
			return err
		}
	}
	return nil
}

func read(r reader) *batch {
	b := &batch{raws: make([]raw, 0, batchSize)}
	for size := 0; len(b.raws) < batchSize && size < batchBytes; {
		record, err := r.next()
		if err != nil {
			b.err = err
			break
		}
		b.raws = append(b.raws, record)
		size += record.size
	}
	return b
}

func sendBatch(ctx context.Context, ordered, work chan<- *batch, b *batch) bool {
	b.ready = make(chan struct{})
	for _, c := range []chan<- *batch{work, ordered} {
		select {
		case c <- b:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// ended is why a file has ended: nil at its proper end.
func (b *batch) ended() error {
	if errors.Is(b.err, io.EOF) {
		return nil
	}
	return b.err
}
