// Package webtest holds handler tests to the API's description: every response
// a test sees must be one that openapi.yaml promises.
package webtest
