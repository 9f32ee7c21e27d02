package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1 // the command could not do what it was asked
	exitUsage = 2 // the command line or the configuration is wrong

	exitDifferences = 2 // a plan has something to apply
)

// exitStatus ends a command with a code and without a word.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// lookupEnv is os.LookupEnv or a test's stand-in for it.
type lookupEnv func(name string) (string, bool)

// environment is what a command may touch of the process.
type environment struct {
	ctx    context.Context
	lookup lookupEnv
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	config *Config
}

// cli is the grammar of the command line.
type cli struct {
	Config

	Serve         serveCommand         `cmd:"" help:"Serve in production: refuses to start with development defaults or half a configuration."`
	Dev           devCommand           `cmd:"" help:"Serve with demo data, an outbox to read and a clock to move."`
	Migrate       migrateCommand       `cmd:"" help:"Bring the database to the newest schema."`
	Client        clientCommands       `cmd:"" help:"Manage OAuth clients."`
	User          userCommands         `cmd:"" help:"Manage users."`
	Keys          keysCommands         `cmd:"" help:"Manage signing keys."`
	Messages      messagesCommand      `cmd:"" help:"Show what became of the messages to people, without what they said or to whom."`
	Explain       explainCommand       `cmd:"" help:"Say why a request was refused, by its id."`
	MigrateReport migrateReportCommand `cmd:"" name:"migrate-report" help:"Say who still calls which legacy endpoint, and who is ready to be cut over."`
	Configuration configCommands       `cmd:"" name:"config" help:"Look at the configuration."`
	Version       versionCommand       `cmd:"" help:"Print the version."`
}

// exited is what the parser panics with after --help or a usage error.
type exited int

// run parses args, runs the command they name until it ends or ctx does, and
// returns the exit code.
func run(ctx context.Context, args []string, lookup lookupEnv, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	defer func() {
		if e, ok := recover().(exited); ok {
			code = int(e)
		}
	}()
	var c cli
	parser, err := kong.New(&c,
		kong.Name("gatehouse"),
		kong.Description("An identity provider and the directory behind it. Every flag is also an environment variable."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exited(code)) }),
		kong.Resolvers(environmentResolver(lookup)),
		kong.ValueFormatter(formatValue),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		fmt.Fprintln(stderr, "gatehouse:", err)
		return exitError
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(stderr, "gatehouse:", err)
		return exitUsage
	}
	env := &environment{ctx: ctx, lookup: lookup, stdin: stdin, stdout: stdout, stderr: stderr, config: &c.Config}
	if err := parsed.Run(env); err != nil {
		if status, ok := errors.AsType[exitStatus](err); ok {
			return int(status)
		}
		fmt.Fprintln(stderr, "gatehouse:", err)
		return exitCode(err)
	}
	return exitOK
}

// environmentResolver reads a flag from its variable: GATEHOUSE_ADDR for --addr,
// GATEHOUSE_CLIENT_CREATE_NAME for the --name of `client create`.
func environmentResolver(lookup lookupEnv) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
		if value, ok := lookup(variableOf(parent.Node(), flag.Name)); ok && value != "" {
			return value, nil
		}
		return nil, nil
	})
}

func variableOf(node *kong.Node, flag string) string {
	words := append(strings.Fields(node.Path()), flag)
	if len(words) == 0 || words[0] != "gatehouse" {
		words = append([]string{"gatehouse"}, words...)
	}
	return strings.ToUpper(strings.ReplaceAll(strings.Join(words, "_"), "-", "_"))
}

// formatValue adds the variable to a configuration flag's help.
func formatValue(value *kong.Value) string {
	if value.Flag == nil || value.Flag.Group == nil {
		return kong.DefaultHelpValueFormatter(value)
	}
	return kong.DefaultHelpValueFormatter(value) + " ($" + variableOf(&kong.Node{}, value.Name) + ")"
}
