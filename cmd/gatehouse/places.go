package main

import (
	"fmt"

	"gatehouse/authn"
	"gatehouse/authn/places"
)

// places opens the file that says where addresses are; nil without one.
func (c *Config) places() (authn.Places, error) {
	if c.GeoIPFile == "" {
		return nil, nil
	}
	file, err := places.Open(c.GeoIPFile)
	if err != nil {
		return nil, fmt.Errorf("GATEHOUSE_GEOIP_FILE: %w", err)
	}
	return file, nil
}
