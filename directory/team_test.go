package directory

import (
	"errors"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func member(n byte, active, government bool, permissions ...string) TeamMember {
	return TeamMember{UserID: uuid.UUID{n}, Active: active, Government: government, Permissions: permissions}
}

func TestTeamKeepsItsManagers(t *testing.T) {
	manager := func(n byte) TeamMember { return member(n, true, true, ManageSettings) }
	sender := func(n byte) TeamMember { return member(n, true, true, "send_texts") }
	cases := []struct {
		name           string
		live           bool
		members        []TeamMember
		remove, change bool // whether the first member may leave, may lose manage_settings
	}{
		{"the only member", false, []TeamMember{sender(1)}, false, true},
		{"the only manager, alone", false, []TeamMember{manager(1)}, false, false},
		{"the only manager of two", false, []TeamMember{manager(1), sender(2)}, false, false},
		{"one of two managers of a trial", false, []TeamMember{manager(1), manager(2)}, true, true},
		{"one of two managers of a live service", true, []TeamMember{manager(1), manager(2)}, false, false},
		{"one of three managers of a live service", true, []TeamMember{manager(1), manager(2), manager(3)}, true, true},
		{"a sender beside one manager", true, []TeamMember{sender(1), manager(2)}, true, true},
		{"a manager without a government address", true, []TeamMember{member(1, true, false, ManageSettings), manager(2)}, true, true},
		{"managers that are not of the government do not count", false, []TeamMember{manager(1), member(2, true, false, ManageSettings)}, false, false},
		{"managers that are pending do not count", false, []TeamMember{manager(1), member(2, false, true, ManageSettings)}, false, false},
		{"a pending manager counts against the others", false, []TeamMember{member(1, false, true, ManageSettings), manager(2), manager(3)}, true, true},
		{"beside a single active member", false, []TeamMember{member(1, false, true), manager(2)}, false, true},
		{"nobody is active", false, []TeamMember{member(1, false, true), member(2, false, true)}, true, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			team := Team{Live: c.live, Members: c.members}
			if got := team.MayRemove(uuid.UUID{1}); got != c.remove {
				t.Errorf("MayRemove = %t", got)
			}
			if got := team.MayChange(uuid.UUID{1}, []string{"send_texts"}); got != c.change {
				t.Errorf("MayChange = %t", got)
			}
			if !team.MayChange(uuid.UUID{1}, []string{"send_texts", ManageSettings}) {
				t.Error("a change that keeps manage_settings is refused")
			}
		})
	}
}

func TestServicePermissionsAreThoseStored(t *testing.T) {
	cases := []struct {
		given, want []string
		err         error
	}{
		{nil, nil, nil},
		{[]string{"view_activity"}, []string{"view_activity"}, nil},
		{[]string{"manage_service"}, []string{"manage_users", "manage_settings"}, nil},
		{[]string{"send_messages"}, []string{"send_texts", "send_emails", "send_letters"}, nil},
		{[]string{"send_letters", "send_messages", "send_letters"}, []string{"send_texts", "send_emails", "send_letters"}, nil},
		{[]string{"platform_admin", "manage_api_keys", "manage_templates"}, []string{"manage_templates", "manage_api_keys", "platform_admin"}, nil},
		{[]string{"view_activity", "create_broadcasts"}, nil, ErrNotFound},
		{[]string{""}, nil, ErrNotFound},
		{[]string{"MANAGE_USERS"}, nil, ErrNotFound},
	}
	for i, c := range cases {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			got, err := ServicePermissions(c.given)
			if diff := cmp.Diff(c.want, got); diff != "" || !errors.Is(err, c.err) {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func TestDomainsOfAnAddress(t *testing.T) {
	cases := []struct {
		address string
		want    []string
	}{
		{"a@justice.gov.uk", []string{"justice.gov.uk", "gov.uk"}},
		{"a@Digital.Justice.GOV.UK", []string{"digital.justice.gov.uk", "justice.gov.uk", "gov.uk"}},
		{"a@justice.gsi.gov.uk", []string{"justice.gov.uk", "gov.uk"}},
		{"a@example.com", []string{"example.com"}},
		{"a", nil},
		{"", nil},
	}
	for _, c := range cases {
		if diff := cmp.Diff(c.want, DomainsOf(c.address)); diff != "" {
			t.Errorf("%s: %s", c.address, diff)
		}
	}
}
