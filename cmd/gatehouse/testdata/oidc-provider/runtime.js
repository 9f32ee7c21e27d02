// What oidc-provider expects of Node 22, for the Node 20 that a machine may have.
URL.parse ??= (url, base) => {
  try {
    return new URL(url, base)
  } catch {
    return null
  }
}
