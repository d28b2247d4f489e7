/** A team's server is reached by HTTPS only, the desktop's agent never. */
export function isRemote(protocol: string = globalThis.location?.protocol ?? 'http:'): boolean {
  return protocol === 'https:'
}
