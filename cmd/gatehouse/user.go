package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// operator is who acts when a command does.
var operator = directory.Actor{Kind: "operator"}

type userCommands struct {
	Create userCreateCommand `cmd:"" help:"Create a user and print it."`
	Unlock userUnlockCommand `cmd:"" help:"Unlock a user that ten failures have locked."`

	SignOut userSignOutCommand `cmd:"" help:"End every session of a user and everything issued to services for them."`

	Import userImportCommand `cmd:"" help:"Bring in users, organisations and services from a file of another system. What was interrupted goes on; what is here already is brought up to date."`

	Export userExportCommand `cmd:"" help:"Write users, organisations and services to a file that user import reads."`

	ResetFactors userResetFactorsCommand `cmd:"" help:"Remove a user's authenticator app, passkeys, security keys and recovery codes, and sign the user out."`
}

type userCreateCommand struct {
	Name          string   `help:"Full name." required:""`
	Email         string   `help:"E-mail address."`
	Mobile        string   `help:"Mobile number, for text message codes."`
	Username      string   `help:"Username of the Delius API; its number is generated."`
	AuthType      string   `help:"Second factor: sms_auth, email_auth or webauthn_auth. By default sms_auth with a mobile number, else email_auth." enum:"sms_auth,email_auth,webauthn_auth," default:""`
	Role          []string `help:"Delius role, such as ABC001; may be repeated."`
	State         string   `help:"pending, active or inactive." enum:"pending,active,inactive" default:"active"`
	PlatformAdmin bool     `help:"May administer everything."`
	PasswordStdin bool     `help:"Read the password from the first line of standard input. Without it the user has none."`
	JSON          bool     `name:"json" help:"Print JSON."`
}

// maxPasswordLine bounds what is read from standard input, in bytes.
const maxPasswordLine = 4096

// Run creates the user, its password and the audit event in one transaction.
func (c userCreateCommand) Run(env *environment) error {
	password := ""
	if c.PasswordStdin {
		line, err := bufio.NewReader(io.LimitReader(env.stdin, maxPasswordLine)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read password: %w", err)
		}
		if password = strings.TrimRight(line, "\r\n"); password == "" {
			return errors.New("no password on standard input")
		}
	}
	return withApp(env, func(a *app) error {
		u, err := a.createUser(env.ctx, directory.NewUser{
			Name: c.Name, EmailAddress: c.Email, MobileNumber: c.Mobile, Username: c.Username, AuthType: directory.AuthType(c.AuthType),
			Roles: c.Role, State: directory.State(c.State), PlatformAdmin: c.PlatformAdmin,
		}, password)
		if err != nil {
			return err
		}
		return printUser(env.stdout, u, c.JSON)
	})
}

// createUser creates a user with a password; "" leaves it without one.
func (a *app) createUser(ctx context.Context, n directory.NewUser, password string) (*directory.User, error) {
	if password == "" {
		return a.registry.CreateUser(ctx, n, operator, nil)
	}
	prepared, err := a.authn.PreparePassword(ctx, password)
	if err != nil {
		return nil, err
	}
	return a.registry.CreateUser(ctx, n, operator, func(ctx context.Context, u *directory.User) error {
		return a.authn.StorePassword(ctx, u.ID, prepared, operator)
	})
}

// userOutput is a user as commands print it.
type userOutput struct {
	ID            uuid.UUID          `json:"id"`
	Name          string             `json:"name"`
	Email         string             `json:"email_address,omitempty"`
	Mobile        string             `json:"mobile_number,omitempty"`
	Username      string             `json:"username,omitempty"`
	Number        int64              `json:"user_id,omitempty"`
	AuthType      directory.AuthType `json:"auth_type"`
	State         directory.State    `json:"state"`
	PlatformAdmin bool               `json:"platform_admin"`
	Roles         []string           `json:"roles"`
	Locked        bool               `json:"locked"`
	CreatedAt     time.Time          `json:"created_at"`
}

func printUser(w io.Writer, u *directory.User, asJSON bool) error {
	out := userOutput{
		ID: u.ID, Name: u.Name, Email: u.EmailAddress, Mobile: u.MobileNumber, Username: u.Username, Number: u.Number,
		AuthType: u.AuthType, State: u.State, PlatformAdmin: u.PlatformAdmin, Roles: append([]string{}, u.Roles...),
		Locked: u.Locked(), CreatedAt: u.CreatedAt,
	}
	if asJSON {
		return printJSON(w, out)
	}
	_, err := fmt.Fprintf(w, "user %s\n  name      %s\n  auth type %s\n  state     %s\n  locked    %t\n", out.ID, out.Name, out.AuthType, out.State, out.Locked)
	return err
}

// printJSON writes v as one indented document.
func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

type userUnlockCommand struct {
	ID   uuid.UUID `arg:"" name:"id" help:"The user's id."`
	JSON bool      `name:"json" help:"Print JSON."`
}

// Run unlocks the user and prints it.
func (c userUnlockCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		if err := a.authn.Unlock(env.ctx, c.ID, operator); err != nil {
			return err
		}
		u, err := a.registry.Store.User(env.ctx, c.ID)
		if err != nil {
			return err
		}
		return printUser(env.stdout, u, c.JSON)
	})
}
