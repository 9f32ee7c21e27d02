// Package pagestest drives the hosted pages in a real Chromium, for the tests
// of every package that has something to show: scripts are off, the keyboard
// works, and each page can be held against the rules of WCAG 2.2 AA with
// axe-core. It knows the names of form fields and nothing of what is behind them.
package pagestest
