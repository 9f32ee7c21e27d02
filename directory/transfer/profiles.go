package transfer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"gatehouse/directory"
)

// Profiles keeps the users of the marketplace. Its errors are those of
// directory.ProfileStore.
type Profiles interface {
	// Companies returns of which kind these clients are; "" is no company.
	Companies(ctx context.Context, ids []string) (map[string]directory.CompanyKind, error)
	// ProfileClaims returns who has one of these addresses, as they are normalised.
	ProfileClaims(ctx context.Context, addresses []string) ([]directory.ProfileClaim, error)
	InsertImportedProfiles(ctx context.Context, source string, all []directory.ImportedProfile, at time.Time) error

	HoldProfile(ctx context.Context, id uuid.UUID) error
	Profile(ctx context.Context, c directory.Company, id uuid.UUID, now time.Time) (*directory.SeenProfile, error)
	UpdateProfile(ctx context.Context, p *directory.Profile) error
	ConsentsOf(ctx context.Context, profile uuid.UUID) ([]directory.ProfileConsent, error)
	GiveConsent(ctx context.Context, c directory.ProfileConsent) (*directory.ProfileConsent, error)
	EndConsent(ctx context.Context, profile uuid.UUID, provider string, at time.Time) error
}

// takeProfiles creates users of the marketplace who are new and changes those who
// are not.
func (i *Importer) takeProfiles(ctx context.Context, all []*item) error {
	known, changed, err := i.changed(ctx, all)
	if err != nil || len(changed) == 0 {
		return err
	}
	market, err := i.market(ctx, changed)
	if err != nil {
		return err
	}
	var created []directory.ImportedProfile
	for _, it := range changed {
		here, exists := known[it.externalID]
		if err := market.fits(it, here.ID); err != nil {
			it.unfit = err
			continue
		}
		i.seen.add(KindProfile, it.externalID)
		if !exists {
			created = append(created, i.importedProfile(it))
		} else if err := i.changeProfile(ctx, it, here); err != nil {
			return err
		}
	}
	i.progress.Created += int64(len(created))
	if len(created) == 0 || i.DryRun {
		return nil
	}
	return i.Profiles.InsertImportedProfiles(ctx, i.Source, created, i.Registry.Clock())
}

// market is what the users of a batch refer to, and whose their addresses are.
type market struct {
	companies map[string]directory.CompanyKind
	owners    map[addressAt]uuid.UUID
	seen      *seen
}

// addressAt is an address at a partner.
type addressAt struct{ partner, address string }

func (i *Importer) market(ctx context.Context, all []*item) (*market, error) {
	companies, addresses := map[string]bool{}, make([]string, 0, len(all))
	for _, it := range all {
		companies[it.profile.PartnerID] = true
		for _, c := range it.consents {
			companies[c.ProviderID] = true
		}
		addresses = append(addresses, directory.NormaliseEmail(it.profile.Email))
	}
	m := &market{owners: map[addressAt]uuid.UUID{}, seen: i.seen}
	var err error
	if m.companies, err = i.Profiles.Companies(ctx, slices.Collect(maps.Keys(companies))); err != nil {
		return nil, fmt.Errorf("look up companies: %w", err)
	}
	claims, err := i.Profiles.ProfileClaims(ctx, addresses)
	if err != nil {
		return nil, fmt.Errorf("look up addresses: %w", err)
	}
	for _, c := range claims {
		m.owners[addressAt{c.PartnerID, c.Email}] = c.ID
	}
	return m, nil
}

// fits says why a user cannot be taken beside what is here, and otherwise gives
// them their address. The id is that of a user who came before.
func (m *market) fits(it *item, own uuid.UUID) error {
	p := it.profile
	if m.companies[p.PartnerID] != directory.Partner {
		return errField("partner_id", "Is not a partner.")
	}
	for _, c := range it.consents {
		if m.companies[c.ProviderID] != directory.Provider {
			return errField("consents", "Of a company that is not a provider.")
		}
	}
	at := addressAt{p.PartnerID, directory.NormaliseEmail(p.Email)}
	owner, ok := m.owners[at]
	if ok && owner != own || m.seen.has(p.PartnerID, at.address) {
		return &directory.ConflictError{Field: "email"}
	}
	m.owners[at] = p.ID
	if own != uuid.Nil {
		m.owners[at] = own
	}
	m.seen.add(p.PartnerID, at.address)
	return nil
}

func (i *Importer) importedProfile(it *item) directory.ImportedProfile {
	id := it.profile.ID
	return directory.ImportedProfile{
		Imported: directory.Imported{Kind: KindProfile, ExternalID: it.externalID, ID: id, Digest: it.digest()},
		Profile:  it.profile, Consents: it.consents, Event: i.event("import_marketplace_user", id, profileFacts(it)),
	}
}

// profileFacts are what the audit trail keeps of a record: nothing personal.
func profileFacts(it *item) map[string]any {
	providers := []string{}
	for _, c := range it.consents {
		if c.EndedAt.IsZero() {
			providers = append(providers, c.ProviderID)
		}
	}
	return map[string]any{"partner": it.profile.PartnerID, "providers": providers}
}

// changeProfile writes what is new in a record over a user who came before, and
// who must still be the partner's. One who was erased here is not brought back.
func (i *Importer) changeProfile(ctx context.Context, it *item, here directory.Imported) error {
	i.progress.Updated++
	if i.DryRun {
		return nil
	}
	now := i.Registry.Clock().UTC().Truncate(time.Microsecond)
	if err := i.Profiles.HoldProfile(ctx, here.ID); err != nil {
		return fmt.Errorf("hold profile: %w", err)
	}
	seen, err := i.Profiles.Profile(ctx, directory.Company{ID: it.profile.PartnerID, Kind: directory.Partner}, here.ID, now)
	if err != nil {
		return fmt.Errorf("look up profile: %w", err)
	}
	if err := it.record.(*ProfileRecord).over(seen.Profile, it.profile); err != nil {
		return err
	}
	seen.UpdatedAt = now
	if err := i.Profiles.UpdateProfile(ctx, seen.Profile); err != nil {
		return fmt.Errorf("update profile: %w", err)
	}
	if err := i.changeConsents(ctx, here.ID, it.consents); err != nil {
		return err
	}
	here.Digest = it.digest()
	if err := i.Store.PutImported(ctx, i.Source, here, now); err != nil {
		return fmt.Errorf("keep record: %w", err)
	}
	return i.Store.AppendEvent(ctx, i.event("reimport_marketplace_user", here.ID, profileFacts(it)))
}

// over writes what a record says over a profile: what it leaves out stays.
func (r *ProfileRecord) over(p, from *directory.Profile) error {
	said := from.ProfileData
	if r.Meta == nil {
		said.Meta = nil
	}
	text, err := jsonv2.Marshal(said, jsonv2.OmitZeroStructFields(true))
	if err != nil {
		return fmt.Errorf("encode profile: %w", err)
	}
	if err := jsonv2.Unmarshal(text, &p.ProfileData); err != nil {
		return fmt.Errorf("decode profile: %w", err)
	}
	return nil
}

// changeConsents gives consents that are new, ends those that the record has
// ended, and gives others their new ends. What the person or the partner has
// ended here stays ended: a file may be older than that.
func (i *Importer) changeConsents(ctx context.Context, profile uuid.UUID, wanted []directory.ProfileConsent) error {
	if len(wanted) == 0 {
		return nil
	}
	here, err := i.Profiles.ConsentsOf(ctx, profile)
	if err != nil {
		return fmt.Errorf("look up consents: %w", err)
	}
	for _, c := range wanted {
		c.ProfileID = profile
		n := slices.IndexFunc(here, func(h directory.ProfileConsent) bool { return h.ProviderID == c.ProviderID })
		if n >= 0 {
			same := here[n].ExpiresAt.Equal(c.ExpiresAt) && c.EndedAt.IsZero()
			if same || !here[n].EndedAt.IsZero() {
				continue
			}
			c.GivenBy, c.GivenAt = here[n].GivenBy, here[n].GivenAt
		}
		if _, err := i.Profiles.GiveConsent(ctx, c); err != nil {
			return fmt.Errorf("give consent: %w", err)
		}
		if c.EndedAt.IsZero() {
			continue
		}
		if err := i.Profiles.EndConsent(ctx, profile, c.ProviderID, c.EndedAt); err != nil {
			return fmt.Errorf("end consent: %w", err)
		}
	}
	return nil
}
