package pages

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"gatehouse/internal/web"
)

// Page is where a journey stands: the path of a page, or, in words, a part of
// the journey that has several pages, or a place outside of it.
type Page string

// The pages between which the server itself leads a browser.
const (
	SignInPage        Page = "/signin"
	CodePage          Page = "/signin/code"
	SecurityKeyPage   Page = securityKeyPath
	AnotherWayPage    Page = "/signin/another-way"
	EmailSignInPage   Page = emailSignInPath
	EmailCodePage     Page = emailCodePath
	EmailLinkPage     Page = "/email-auth/{token}"
	ConfirmPage       Page = confirmPath
	InvitationPage    Page = "/invitation/{token}"
	AccountPage       Page = accountPath
	HomePage          Page = "/"
	SignOutPage       Page = "/signout"
	SignedOutPage     Page = "/signed-out"
	AuthorizePage     Page = "/oauth/authorize"
	ContinuePage      Page = ContinuePath
	SelectAccountPage Page = "/select-account"
	ConsentPage       Page = "/consent"
	DevicePage        Page = "/device"
)

// Parts of a journey, and what is outside of it.
const (
	SigningIn Page = "signing in"
	Deciding  Page = "deciding"
	Service   Page = "the service"
)

// Event is what happened on a page, or was found there, as far as it decides what
// comes next. A form that is shown again, with what is wrong with it, is none.
type Event string

// What happens in journeys.
const (
	SignInNeeded     Event = "a sign-in is needed"
	ChoiceNeeded     Event = "the account is to be chosen"
	ConsentNeeded    Event = "consent is needed"
	SessionUnseen    Event = "the form of another site came without the session"
	Answered         Event = "the request is answered"
	SessionEnded     Event = "the session does not serve any more"
	AnotherAccount   Event = "another account"
	DeviceCodeNeeded Event = "signed in for a device"
	DeviceFound      Event = "the code is right"
	CodeNeeded       Event = "a code is needed"
	KeyNeeded        Event = "a security key is needed"
	SignedIn         Event = "signed in"
	SignedInFor      Event = "signed in for a service"
	SignedInBefore   Event = "signed in on the way to the account"
	SignedInInvited  Event = "signed in on the way to an invitation"
	MailSent         Event = "a mail was sent"
	CodeSent         Event = "a code was sent"
	Closed           Event = "the invitation was closed meanwhile"
	Joined           Event = "joined, or found out why not"
	ProofNeeded      Event = "the sign-in is not recent"
	Changed          Event = "changed"
	SignedOut        Event = "signed out"
	SignedOutFor     Event = "signed out for a service"
)

// Step leads from a page, or from every page of a part, to another.
type Step struct {
	From Page
	On   Event
	To   Page
}

// journey is every step that there is: the pages and package oauth go by it, and
// docs/journeys.md is written from it.
var journey = []Step{
	{Deciding, SignInNeeded, SignInPage},
	{Deciding, ChoiceNeeded, SelectAccountPage},
	{Deciding, ConsentNeeded, ConsentPage},
	{Deciding, SessionUnseen, ContinuePage},
	{Deciding, Answered, Service},
	{ConsentPage, SessionEnded, ContinuePage},
	{SelectAccountPage, AnotherAccount, SignInPage},
	{ContinuePage, DeviceCodeNeeded, DevicePage},
	{DevicePage, SignInNeeded, SignInPage},
	{DevicePage, DeviceFound, ConsentPage},

	{SigningIn, CodeNeeded, CodePage},
	{SigningIn, KeyNeeded, SecurityKeyPage},
	{SigningIn, SignedIn, HomePage},
	{SigningIn, SignedInFor, ContinuePage},
	{SigningIn, SignedInBefore, AccountPage},
	{SigningIn, SignedInInvited, InvitationPage},
	{EmailSignInPage, MailSent, EmailCodePage},
	{CodePage, CodeSent, CodePage},
	{CodePage, Closed, InvitationPage},

	{InvitationPage, SignInNeeded, SignInPage},
	{InvitationPage, Joined, InvitationPage},
	{AccountPage, SignInNeeded, SignInPage},
	{AccountPage, ProofNeeded, ConfirmPage},
	{AccountPage, CodeSent, AccountPage},
	{AccountPage, Changed, AccountPage},
	{SignOutPage, SignedOut, SignedOutPage},
	{SignOutPage, SignedOutFor, Service},
}

// partOf says to which part a page belongs: a step from the part is one from the
// page. The form of an invitation makes an account and signs in to it.
var partOf = map[Page]Page{
	SignInPage: SigningIn, CodePage: SigningIn, SecurityKeyPage: SigningIn, AnotherWayPage: SigningIn,
	EmailCodePage: SigningIn, EmailLinkPage: SigningIn, ConfirmPage: SigningIn, InvitationPage: SigningIn,

	AuthorizePage: Deciding, ContinuePage: Deciding, SelectAccountPage: Deciding, ConsentPage: Deciding,
}

// next finds the page that an event leads to and notes the step for the log. A
// step that the journey does not have is a mistake of the program.
func next(ctx context.Context, from Page, on Event) (Page, error) {
	for _, step := range journey {
		if step.On == on && (step.From == from || step.From == partOf[from]) {
			web.Note(ctx, slog.Group("step", slog.String("from", string(from)), slog.String("on", string(on))))
			return step.To, nil
		}
	}
	return "", fmt.Errorf("the journey has no step from %s when %s", from, on)
}

// Follow sends a browser to the page that an event leads to, in a flow; "" for none.
func Follow(w http.ResponseWriter, r *http.Request, from Page, on Event, flow string) error {
	to, err := next(r.Context(), from, on)
	if err != nil {
		return err
	}
	return redirect(w, withFlow(string(to), &Flow{ID: flow}))
}

// FollowTo is [Follow] where the page is one of many, or has parameters: location
// says which.
func FollowTo(w http.ResponseWriter, r *http.Request, from Page, on Event, location string) error {
	if _, err := next(r.Context(), from, on); err != nil {
		return err
	}
	return redirect(w, location)
}

// withFlow adds the flow's id to the path of a page.
func withFlow(path string, f *Flow) string {
	if f.ID == "" {
		return path
	}
	return path + "?flow=" + url.QueryEscape(f.ID)
}

// redirect answers 303: the browser follows with GET and never sends the form again.
func redirect(w http.ResponseWriter, path string) error {
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// Journey returns every step, and the part that each page belongs to.
func Journey() (steps []Step, parts map[Page]Page) {
	return slices.Clone(journey), maps.Clone(partOf)
}
