package cutover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// Mode says which system a caller relies on while both are asked.
type Mode string

// The modes.
const (
	Off           Mode = "off"            // this service alone answers, and the old one is not asked
	UpstreamFirst Mode = "upstream-first" // the old system answers
	LocalFirst    Mode = "local-first"    // this service answers
)

// Valid reports whether a mode is one of ours.
func (m Mode) Valid() bool { return m == Off || m == UpstreamFirst || m == LocalFirst }

// Authn is what a Shadow needs of package authn.
type Authn interface {
	Authenticate(ctx context.Context, a authn.Attempt) (*authn.Outcome, error)
	AuthenticateBeside(ctx context.Context, a authn.Attempt, judge authn.Judge) (*authn.Outcome, authn.Own, error)
	Compare(ctx context.Context, own authn.Own, password string) (authn.Opinion, error)
	Adopt(ctx context.Context, own authn.Own, password, caller string) (bool, authn.Opinion, error)
	SetPassword(ctx context.Context, userID uuid.UUID, password string, actor directory.Actor) error
}

// Asker is the old system.
type Asker interface {
	// Ask returns [ErrNoAnswer] when it says neither yes nor no.
	Ask(ctx context.Context, username, password string) (right bool, err error)
}

const (
	workers = 8
	// maxWaiting is how many comparisons wait for a worker. Further ones are
	// counted as not compared.
	maxWaiting = 256
	// compareTime bounds one comparison, and stopTime all that are left at a stop.
	compareTime = 5 * time.Second
	stopTime    = 3 * time.Second
)

// Shadow is the door of POST /authenticate while callers move: the system that a
// caller relies on decides, and the other one is asked beside it, where it can
// neither delay nor change the answer. Its fields are set once; call Run.
type Shadow struct {
	// Authn and Upstream are the two systems.
	Authn    Authn
	Upstream Asker
	// Mode returns that of a caller.
	Mode func(ctx context.Context, caller string) (Mode, error)
	// Fallback lets this service decide when the old system should and gives no
	// answer. Otherwise nothing is decided.
	Fallback bool
	Records  *Records
	Log      *slog.Logger

	mu      sync.RWMutex
	stopped bool
	once    sync.Once
	jobs    chan func(ctx context.Context)
}

// queue is where comparisons wait for a worker.
func (s *Shadow) queue() chan func(ctx context.Context) {
	s.once.Do(func() { s.jobs = make(chan func(ctx context.Context), maxWaiting) })
	return s.jobs
}

// SetPassword sets a password here. The old system keeps its own.
func (s *Shadow) SetPassword(ctx context.Context, userID uuid.UUID, password string, actor directory.Actor) error {
	return s.Authn.SetPassword(ctx, userID, password, actor)
}

// Authenticate tries a password as the mode of its caller says. When the old
// system should decide and gives no answer, it is directory.ErrUnavailable.
func (s *Shadow) Authenticate(ctx context.Context, a authn.Attempt) (*authn.Outcome, error) {
	mode, err := s.Mode(ctx, a.Caller)
	if err != nil {
		return nil, fmt.Errorf("mode of caller: %w", err)
	}
	switch mode {
	case UpstreamFirst:
		return s.upstreamFirst(ctx, a)
	case LocalFirst:
		return s.localFirst(ctx, a)
	default:
		return s.Authn.Authenticate(ctx, a)
	}
}

// upstreamFirst answers what the old system says, and compares afterwards.
func (s *Shadow) upstreamFirst(ctx context.Context, a authn.Attempt) (*authn.Outcome, error) {
	var upstream bool
	var silence error
	asked := false
	outcome, own, err := s.Authn.AuthenticateBeside(ctx, a, func(ctx context.Context) (bool, error) {
		asked = true
		upstream, silence = s.Upstream.Ask(ctx, a.Identifier, a.Secret)
		switch {
		case silence == nil:
			return upstream, nil
		case s.Fallback:
			return false, authn.ErrNoVerdict
		}
		return false, fmt.Errorf("%w: %w", directory.ErrUnavailable, silence)
	})
	switch {
	case !asked:
		s.Records.Compared(a.Caller, NotCompared)
	case silence != nil:
		s.noAnswer(ctx, a.Caller, silence)
	case err != nil && !errors.Is(err, authn.ErrRefused):
		s.Records.Compared(a.Caller, NotCompared) // nothing was decided
	default:
		s.beside(a.Caller, func(ctx context.Context) { s.compare(ctx, a, own, upstream) })
	}
	return outcome, err
}

// localFirst answers what this service says, and asks the old system afterwards,
// unless the account takes no attempts or a limit was reached: a password that is
// not compared here is not tried there either.
func (s *Shadow) localFirst(ctx context.Context, a authn.Attempt) (*authn.Outcome, error) {
	outcome, own, err := s.Authn.AuthenticateBeside(ctx, a, nil)
	if own.Opinion == authn.NotAsked || own.Opinion == authn.OwnLocked {
		s.Records.Compared(a.Caller, NotCompared)
		return outcome, err
	}
	s.beside(a.Caller, func(ctx context.Context) {
		upstream, silence := s.Upstream.Ask(ctx, a.Identifier, a.Secret)
		if silence != nil {
			s.noAnswer(ctx, a.Caller, silence)
			return
		}
		s.compare(ctx, a, own, upstream)
	})
	return outcome, err
}

func (s *Shadow) noAnswer(ctx context.Context, caller string, silence error) {
	s.Records.Compared(caller, UpstreamError)
	s.Log.LogAttrs(ctx, slog.LevelWarn, "no answer from the old system", slog.String("client", caller), slog.String("error", silence.Error()))
}

// compare counts what the two say, and takes over a password that only the old
// system has.
func (s *Shadow) compare(ctx context.Context, a authn.Attempt, own authn.Own, upstream bool) {
	opinion, err := s.Authn.Compare(ctx, own, a.Secret)
	adopted := false
	if err == nil && upstream && adoptable(own, a) {
		adopted, opinion, err = s.Authn.Adopt(ctx, own, a.Secret, a.Caller)
	}
	switch {
	case err != nil:
		s.Log.LogAttrs(ctx, slog.LevelWarn, "compare with the old system", slog.String("error", err.Error()))
		s.Records.Compared(a.Caller, NotCompared)
	case adopted:
		s.Records.Compared(a.Caller, Adopted)
	case upstream && opinion == authn.OwnRight:
		s.Records.Compared(a.Caller, AgreeYes)
	case upstream:
		s.Records.Compared(a.Caller, UpstreamYesLocalNo)
		s.Records.Differed(a.Caller, a.Identifier, userOf(own), string(opinion))
	case opinion == authn.OwnRight:
		s.Records.Compared(a.Caller, UpstreamNoLocalYes)
		s.Records.Differed(a.Caller, a.Identifier, userOf(own), RefusedUpstream)
	default:
		s.Records.Compared(a.Caller, AgreeNo)
	}
}

// adoptable reports whether a password may be taken over. Only the username names
// the same user in both systems: an e-mail address or a number may be somebody
// else's there.
func adoptable(own authn.Own, a authn.Attempt) bool {
	return own.Opinion == authn.OwnNone && own.User.Username != "" &&
		directory.NormaliseUsername(own.User.Username) == directory.NormaliseUsername(a.Identifier)
}

func userOf(own authn.Own) uuid.NullUUID {
	if own.User == nil {
		return uuid.NullUUID{}
	}
	return uuid.NullUUID{UUID: own.User.ID, Valid: true}
}

// beside hands work to a worker; where none will do it, that is counted.
func (s *Shadow) beside(caller string, job func(ctx context.Context)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.stopped {
		select {
		case s.queue() <- job:
			return
		default:
		}
	}
	s.Records.Compared(caller, NotCompared)
}

// Run compares until ctx is done, then what is left, for a short while, and
// writes the figures.
func (s *Shadow) Run(ctx context.Context) {
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for job := range s.queue() {
				s.do(working, job)
			}
		})
	}
	<-ctx.Done()
	s.mu.Lock()
	s.stopped = true
	close(s.queue())
	s.mu.Unlock()
	defer time.AfterFunc(stopTime, stop).Stop()
	all.Wait()
	s.Records.Flush(context.WithoutCancel(ctx))
}

func (s *Shadow) do(ctx context.Context, job func(ctx context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, compareTime)
	defer cancel()
	job(ctx)
}
