package conformance

// ReleasePlans are the five plans that a release has to pass, 90 modules.
func ReleasePlans() []Plan {
	return []Plan{Basic(), Config(), FormPostBasic(), RPInitiatedLogout(), BackchannelLogout()}
}
