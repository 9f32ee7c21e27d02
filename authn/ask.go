package authn

import (
	"context"
	"fmt"

	"gatehouse/directory"
)

// asking begins the record of somebody who asks for a message without having
// proved anything.
func (s *Service) asking(what Factor, a Attempt) *trial {
	a.Front, a.Factor = Browser, what
	return &trial{Attempt: a, service: s, at: s.Clock(), limiter: s.Cache}
}

// ask runs send for the user that an attempt names, if there is one who may be
// sent links and has not had too many. For everybody else it does the same work
// without the message, so that neither the answer nor its time tells them apart.
func (t *trial) ask(ctx context.Context, send func(ctx context.Context) error) error {
	if err := t.throttleAsking(ctx); err != nil {
		return err
	}
	user, err := t.service.identify(ctx, t.Attempt)
	if err != nil {
		return err
	}
	if mayBeMailed(user) {
		t.user = user
	}
	return t.answerAlike(ctx, t.askedOf(), func(ctx context.Context) (string, error) {
		if t.user == nil {
			t.step("user", "", "none to send to")
			return refused, nil
		}
		return more, send(ctx)
	})
}

// answerAlike sends, when subject has a message left in its budget, and writes
// down the verdict. Every answer takes the same time.
func (t *trial) answerAlike(ctx context.Context, subject string, send func(ctx context.Context) (verdict string, err error)) error {
	s := t.service
	wait, err := s.Cache.Take(ctx, s.bucket("mail", subject, s.Limits.orDefaults().MailsPerAddress), t.at)
	if err != nil {
		return fmt.Errorf("limit messages: %w", err)
	}
	err = s.Directory.InTx(ctx, func(ctx context.Context) error {
		if wait > 0 {
			t.step("limit", "messages to one address", "refuse")
			return t.record(ctx, refused)
		}
		verdict, err := send(ctx)
		if err != nil {
			return err
		}
		return t.record(ctx, verdict)
	})
	if err != nil {
		return fmt.Errorf("answer %s: %w", t.Factor, err)
	}
	t.levelTime(ctx)
	return nil
}

// askedOf is whom messages are counted for: a user, or a name that is nobody's.
func (t *trial) askedOf() string {
	if t.user == nil {
		return directory.NormaliseEmail(t.Identifier)
	}
	return t.user.ID.String()
}

// throttleAsking takes a try of the network, which no answer gives back.
func (t *trial) throttleAsking(ctx context.Context) error {
	s := t.service
	if !t.Network.IsValid() {
		return nil
	}
	wait, err := s.Cache.Take(ctx, s.bucket("asking", network(t.Network).String(), s.Limits.orDefaults().AskingPerNetwork), t.at)
	if err != nil {
		return fmt.Errorf("limit asking: %w", err)
	}
	if wait > 0 {
		return &ThrottledError{RetryAfter: wait}
	}
	return nil
}
