package oauth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// localisable are the members that people read or follow, so that each may be
// there again with the tag of a language, as in client_name#cy (RFC 7591 section
// 2.2, OpenID Connect Registration section 2.1).
var localisable = []string{"client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri"}

// languageTag is what a tag of BCP 47 looks like. Which there are is not checked:
// pages speak few of them, and clients may register what nobody reads here.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}$`)

// wording is a member of the client's as people are to read it.
func (c *Client) wording(member, plain string) directory.Wording {
	w := directory.Wording{Plain: plain, In: map[string]string{}}
	for name, text := range c.Localised {
		if base, tag, _ := strings.Cut(name, "#"); base == member {
			w.In[tag] = text
		}
	}
	return w
}

// Named is what people read as the client's name.
func (c *Client) Named() directory.Wording { return c.wording("client_name", c.Name) }

func (c *Client) validateLocalised(f *faults) {
	f.add(len(c.Localised) > maxMetadataList, "client_name", "has, with the other members in other languages, more than 20 values")
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.Localised)) {
		member, tag, _ := strings.Cut(name, "#")
		once := strings.ToLower(name)
		switch {
		case !slices.Contains(localisable, member):
			f.add(true, member, "cannot be in several languages")
		case !languageTag.MatchString(tag):
			f.add(true, member, "has a tag that is none of a language, such as cy")
		case seen[once]:
			f.add(true, name, "is there twice, in another letter case")
		default:
			fault := localisedFault(member, c.Localised[name])
			f.add(fault != "", name, fault)
		}
		seen[once] = true
	}
}

// localisedFault says why a text cannot stand for a member; "" when it can.
func localisedFault(member, text string) string {
	if member != "client_name" {
		return webFault(text)
	}
	if !visibleName(text) {
		return nameFault
	}
	return ""
}

// localise takes over members with tags; an empty one takes what was there away.
// A tag is the same in any letter case.
func (d *ClientDocument) localise(tagged map[string]string) {
	all := maps.Clone(d.Localised)
	for name := range tagged {
		maps.DeleteFunc(all, func(old, _ string) bool { return strings.EqualFold(old, name) })
	}
	for name, text := range tagged {
		if text = strings.TrimSpace(text); text != "" {
			if all == nil {
				all = map[string]string{}
			}
			all[name] = text
		}
	}
	d.Localised = all
}

// read decodes a JSON object over the document, members with tags among it.
// Strict, it refuses what is not known. The error wraps [web.ErrBody].
func (d *ClientDocument) read(object []byte, strict bool) error {
	var all map[string]json.RawMessage
	if !bytes.ContainsRune(object, '#') || web.DecodeJSON(object, &all, false) != nil {
		return web.DecodeJSON(object, d, strict)
	}
	tagged := map[string]string{}
	for name, value := range all {
		member, _, has := strings.Cut(name, "#")
		if !has || !slices.Contains(localisable, member) {
			continue
		}
		var text string
		if err := web.DecodeJSON(value, &text, true); err != nil {
			return err
		}
		tagged[name] = text
		delete(all, name)
	}
	rest, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("encode members without tags: %w", err)
	}
	if err := web.DecodeJSON(rest, d, strict); err != nil {
		return err
	}
	d.localise(tagged)
	return nil
}

// MarshalJSON implements [json.Marshaler]: the members with tags follow the others.
func (d ClientDocument) MarshalJSON() ([]byte, error) {
	type plain ClientDocument // without this method
	return joined(plain(d), d.Localised)
}

// MarshalJSON implements [json.Marshaler].
func (r registration) MarshalJSON() ([]byte, error) {
	return joined(r.ClientDocument, struct {
		Token string `json:"registration_access_token"`
		URI   string `json:"registration_client_uri"`
	}{r.RegistrationAccessToken, r.RegistrationClientURI})
}

// joined makes one JSON object of two, of which the first has members.
func joined(first, second any) ([]byte, error) {
	one, err := json.Marshal(first)
	if err != nil {
		return nil, err
	}
	two, err := json.Marshal(second)
	if err != nil || len(two) <= len("{}") || string(two) == "null" {
		return one, err
	}
	return slices.Concat(one[:len(one)-1], []byte(","), two[1:]), nil
}
