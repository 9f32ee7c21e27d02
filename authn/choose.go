package authn

import (
	"context"
	"net/netip"
	"slices"
)

// ChooseFactor lets a sign-in under way wait for another of its choices, and
// sends the code if that is one; what was sent before stays good, and failures
// stay counted. [ErrRefused] says that the factor is not one of the choices;
// limits are those of [Service.ResendCode].
func (s *Service) ChooseFactor(ctx context.Context, token string, f Factor, from netip.Addr) (*Outcome, error) {
	now := s.Clock()
	if err := s.mayAsk(ctx, from, now); err != nil {
		return nil, err
	}
	in, user, err := s.underWay(ctx, token)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(in.Choices, f) {
		return nil, ErrRefused
	}
	in.Next = f
	if err := s.putSignIn(ctx, in, user, now); err != nil {
		return nil, err
	}
	if err := s.sendCode(ctx, user, in, now); err != nil {
		return nil, err
	}
	return in.outcome(token, user), nil
}
