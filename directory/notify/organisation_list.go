package notify

import (
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// listedOrganisation is an organisation in a list, in alphabetical order.
type listedOrganisation struct {
	Active              bool                       `json:"active"`
	CountOfLiveServices int                        `json:"count_of_live_services"`
	Domains             []string                   `json:"domains"`
	ID                  uuid.UUID                  `json:"id"`
	Name                string                     `json:"name"`
	OrganisationType    directory.OrganisationType `json:"organisation_type"`
}

func listedOrganisations(all []directory.ListedOrganisation) []listedOrganisation {
	shown := make([]listedOrganisation, len(all))
	for i, o := range all {
		shown[i] = listedOrganisation{
			Active: o.Active, CountOfLiveServices: o.CountOfLiveServices, Domains: list(o.Domains),
			ID: o.ID, Name: o.Name, OrganisationType: o.Type,
		}
	}
	return shown
}

// listOrganisations answers GET /organisation.
func (a *API) listOrganisations(w http.ResponseWriter, r *http.Request) error {
	all, err := a.Registry.Store.Organisations(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, listedOrganisations(all))
}

// searchOrganisations answers GET /organisation/search.
func (a *API) searchOrganisations(w http.ResponseWriter, r *http.Request) error {
	text := r.URL.Query().Get("name")
	if text == "" {
		return fieldFault("name", "Missing data for required field.")
	}
	all, err := a.Registry.Store.SearchOrganisations(r.Context(), queryText(text))
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, data{listedOrganisations(all)})
}

// organisationByDomain answers GET /organisation/by-domain.
func (a *API) organisationByDomain(w http.ResponseWriter, r *http.Request) error {
	domain := queryText(r.URL.Query().Get("domain"))
	if domain == "" || strings.Contains(domain, "@") {
		return errNotUnderstood
	}
	o, err := a.Registry.OrganisationByDomain(r.Context(), domain)
	if errors.Is(err, directory.ErrNotFound) {
		return errNoRoute
	}
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, organisationOf(o))
}

// queryText is a parameter of a query without what no stored text holds, so
// that it matches nothing instead of failing.
func queryText(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
}
