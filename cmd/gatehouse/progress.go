package main

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"gatehouse/directory"
)

// progress shows how far an import has come: a bar on a terminal, elsewhere a
// line now and then.
type progress struct {
	w    io.Writer
	file *importFile
	bar  *progressbar.ProgressBar // nil for lines
	told int64
}

// linesEvery is after how many records a line is written.
const linesEvery = 100_000

func newProgress(w io.Writer, file *importFile) *progress {
	p := &progress{w: w, file: file}
	if terminal, ok := w.(*os.File); ok && term.IsTerminal(int(terminal.Fd())) {
		p.bar = progressbar.NewOptions64(file.size, progressbar.OptionSetWriter(w), progressbar.OptionShowBytes(true),
			progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth(), progressbar.OptionSetDescription("importing"))
	}
	return p
}

func (p *progress) update(done directory.ImportProgress) {
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%d records, %d rejected", done.Records, done.Rejected))
		_ = p.bar.Set64(min(p.file.read.Load(), max(p.file.size, 0))) // a bar that cannot be drawn harms nothing
		return
	}
	if done.Records/linesEvery > p.told {
		p.told = done.Records / linesEvery
		fmt.Fprintf(p.w, "%d records: %d created, %d updated, %d unchanged, %d rejected\n",
			done.Records, done.Created, done.Updated, done.Unchanged, done.Rejected)
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Exit()
		fmt.Fprintln(p.w)
	}
}
