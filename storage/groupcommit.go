package storage

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// groupWriter lets transactions take turns on SQLite's one writing connection,
// and lets those that wait share a commit.
//
// Beginning and committing cost as much as a small transaction itself. So the
// one that has had its turn leaves BEGIN … COMMIT open for those that are already
// waiting, or would be if they had a processor; they work from savepoints of their
// own. Nobody is answered before the commit, so that an answer rests on what is
// written, and nobody waits for company: a transaction that is alone is committed
// at once.
type groupWriter struct {
	conn        *sql.Conn
	statements  *prepared
	afterOthers func(f func()) // runAfterOthers, but in tests

	// group is the one that is open. It belongs to whoever has the turn, and while
	// nobody has it, a finish of the group is on its way.
	group *group

	mu    sync.Mutex
	taken bool            // somebody has the turn
	queue []chan struct{} // one for each who waits, closed when its turn comes
	waits int64           // how many have waited, since the start
}

// group is what is committed together.
type group struct {
	members   int
	finishing bool // a finish is on its way; guarded by the writer's mu
	// fault is why nothing of it was written, from the statement or the commit that
	// ended it. It is settled when done is closed.
	fault  error
	undone bool // the only member has gone back
	done   chan struct{}
}

// maxMembers bounds how long the first of a group waits for the others.
const maxMembers = 64

// newGroupWriter takes the only connection of a pool for itself.
func newGroupWriter(ctx context.Context, pool *sql.DB) (*groupWriter, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &groupWriter{conn: conn, statements: newPrepared(conn), afterOthers: runAfterOthers}, nil
}

// wait returns when it is the caller's turn, or its context is over.
func (w *groupWriter) wait(ctx context.Context) error {
	w.mu.Lock()
	if !w.taken {
		w.taken = true
		w.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	w.queue, w.waits = append(w.queue, turn), w.waits+1
	w.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		return w.giveUp(ctx, turn)
	}
}

// giveUp leaves the queue, unless the turn has come meanwhile.
func (w *groupWriter) giveUp(ctx context.Context, turn chan struct{}) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.queue, turn)
	if i < 0 {
		return nil
	}
	w.queue = slices.Delete(w.queue, i, i+1)
	return ctx.Err()
}

// pass gives the turn to the first in the queue, if anybody waits.
func (w *groupWriter) pass() bool {
	if len(w.queue) == 0 {
		return false
	}
	close(w.queue[0])
	w.queue = slices.Delete(w.queue, 0, 1)
	return true
}

// free gives the turn to whoever wants it next.
func (w *groupWriter) free() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken = w.pass()
}

// join waits for the turn and for a group to be open.
func (w *groupWriter) join(ctx context.Context) (*member, error) {
	if err := w.wait(ctx); err != nil {
		return nil, err
	}
	if w.group == nil {
		if err := w.run("begin immediate"); err != nil {
			w.free()
			return nil, err
		}
		w.group = &group{done: make(chan struct{})}
	}
	w.group.members++
	return &member{groupWriter: w, group: w.group}, nil
}

// begin joins with a savepoint, for more than one statement. The first of a
// group needs none: there is nothing else to keep.
func (w *groupWriter) begin(ctx context.Context) (tx, error) {
	m, err := w.join(ctx)
	if err != nil {
		return nil, err
	}
	if m.group.members > 1 {
		m.saved = true
		m.group.fault = w.run("savepoint member")
	}
	if m.group.fault != nil {
		return nil, m.leave()
	}
	return m, nil
}

// run runs a statement about transactions.
func (w *groupWriter) run(statement string) error {
	_, err := w.statements.ExecContext(context.Background(), statement)
	return err
}

// follow lets the next in the queue go on in the same group. When nobody waits, it
// is finished once those have run that are ready to: where processors are what is
// short, others get no further than that, and groups would be of one or two.
func (w *groupWriter) follow(g *group) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken = w.pass()
	if !w.taken && !g.finishing {
		g.finishing = true
		w.afterOthers(func() { w.finish(g) })
	}
}

// finish ends a group, unless somebody has the turn meanwhile and will see to it.
func (w *groupWriter) finish(g *group) {
	w.mu.Lock()
	g.finishing = false
	last := !w.taken && w.group == g
	w.taken = w.taken || last
	w.mu.Unlock()
	if last {
		w.end(g)
	}
}

// runAfterOthers runs f behind the goroutines that are ready to run. The newest of a
// processor's is the next to run: one more leaves f at the end of its queue. There
// it does not wait for those that compute for long, as [runtime.Gosched] would:
// they have been interrupted, and are in the queue of all processors.
func runAfterOthers(f func()) {
	go f()
	go func() {}()
}

// end commits a group, or takes it back, and tells its members.
func (w *groupWriter) end(g *group) {
	if g.fault == nil && !g.undone {
		g.fault = w.run("commit")
	}
	if g.fault != nil || g.undone {
		_ = w.run("rollback") // SQLite may have done it by itself
	}
	w.group = nil
	close(g.done)
	w.free()
}

// close frees the connection; once more it does nothing, as with a pool.
func (w *groupWriter) close() error {
	err := w.conn.Close()
	if errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return errors.Join(w.statements.close(), err)
}

// pool says how busy the connection is.
func (w *groupWriter) pool() Pool {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := Pool{Name: "writer", Max: 1, Idle: 1, Waits: w.waits}
	if w.taken {
		p.InUse, p.Idle = 1, 0
	}
	return p
}

// member is one transaction of a group while it has the turn. Its statements are
// not interrupted when its context ends: SQLite would take back the whole group.
// No more of them are begun instead.
type member struct {
	*groupWriter
	group *group
	saved bool // its savepoint is set
	left  bool
}

// usable reports why no statement may be begun: outside the group's transaction
// it would take effect by itself.
func (m *member) usable(ctx context.Context) error { return cmp.Or(m.group.fault, ctx.Err()) }

// exec implements conn.
func (m *member) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := m.usable(ctx); err != nil {
		return 0, err
	}
	result, err := m.statements.ExecContext(context.WithoutCancel(ctx), query, args...)
	if m.try(err) != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query implements conn.
func (m *member) query(ctx context.Context, query string, args ...any) (rows, error) {
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	r, err := m.statements.QueryContext(context.WithoutCancel(ctx), query, args...) //nolint:rowserrcheck // checked by DB.row and DB.each
	if m.try(err) != nil {
		return nil, err
	}
	return memberRows{sqliteRows{r}, m}, nil
}

// insert implements conn.
func (m *member) insert(ctx context.Context, query string, all [][]any) error {
	for _, args := range all {
		if _, err := m.exec(ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}

// batch implements conn.
func (m *member) batch(ctx context.Context, all []statement) ([]int64, error) {
	changed := make([]int64, len(all))
	for i, s := range all {
		var err error
		if changed[i], err = m.exec(ctx, s.query, s.args...); err != nil {
			return nil, err
		}
		if changed[i] == 0 && s.otherwise != nil {
			return nil, s.otherwise
		}
	}
	return changed, nil
}

// ask implements conn.
func (m *member) ask(ctx context.Context, all []*question) error { return askEach(ctx, m, all) }

// askEach asks one question after the other.
func askEach(ctx context.Context, c conn, all []*question) error {
	for _, q := range all {
		r, err := c.query(ctx, q.query, q.args...)
		if err != nil {
			return err
		}
		if err := q.read(r); err != nil {
			return err
		}
	}
	return nil
}

// queue implements tx. Nothing travels here, so nothing has to wait.
func (m *member) queue(ctx context.Context, s statement) error {
	_, err := m.batch(ctx, []statement{s})
	return err
}

// try notes an error with which SQLite ends the group's transaction, and returns
// it. A value that is refused, or a statement that is wrong, undoes itself alone
// (sqlite.org, lang_transaction, "Response To Errors Within A Transaction").
func (m *member) try(err error) error {
	lite, ok := errors.AsType[*sqlite.Error](err)
	if !ok || lite.Code()&0xff == sqlite3.SQLITE_CONSTRAINT || lite.Code() == sqlite3.SQLITE_ERROR {
		return err
	}
	m.group.fault = err
	return err
}

// commit implements tx.
func (m *member) commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return errors.Join(err, m.rollback(ctx))
	}
	if m.saved && m.group.fault == nil {
		m.group.fault = m.run("release member")
	}
	return m.leave()
}

// rollback implements tx.
func (m *member) rollback(context.Context) error {
	switch {
	case m.group.fault != nil: // which takes everything back
	case m.saved:
		m.group.fault = errors.Join(m.run("rollback to member"), m.run("release member"))
	default:
		m.group.undone = true
	}
	return m.leave()
}

// leave ends the member's turn, waits for the commit and returns what became of
// it. A member that has left already has had its answer.
func (m *member) leave() error {
	if m.left {
		return nil
	}
	m.left = true
	g := m.group
	if g.fault != nil || g.undone || g.members == maxMembers {
		m.end(g)
		return g.fault
	}
	m.follow(g)
	<-g.done
	return g.fault
}

// memberRows are read in the member's turn.
type memberRows struct {
	sqliteRows
	m *member
}

// Err implements rows. What ends a statement ends the group as well.
func (r memberRows) Err() error { return r.m.try(r.sqliteRows.Err()) }

// loneRows are those of a statement outside a transaction: once they have been
// read, it is committed.
type loneRows struct {
	memberRows
	fault error
}

// Next implements rows.
func (r *loneRows) Next() bool {
	if r.memberRows.Next() {
		return true
	}
	r.Close()
	return false
}

// Close implements rows.
func (r *loneRows) Close() {
	r.memberRows.Close()
	if !r.m.left {
		err := r.memberRows.Err()
		r.fault = cmp.Or(r.m.leave(), err)
	}
}

// Err implements rows.
func (r *loneRows) Err() error { return r.fault }
