/** Who uses this page, and what they may do: pages offer only that. On the desktop its one user may do everything. */

import type { AccountOut, Scope } from '../api/types'
import { isRemote } from './remote'

export class AccountState {
  /** null until the agent has said it */
  value = $state.raw<AccountOut | null>(null)

  readonly known = $derived.by(() => this.value !== null || !this.remote)
  /** This is a team's server, and the page is a member's. */
  readonly team = $derived.by(() => (this.value === null ? this.remote : this.value.kind !== 'local'))
  /** Whether the user may do something; until that is known, only the desktop's user may. */
  readonly can = $derived.by(() => {
    const { value } = this
    if (value === null) return () => !this.remote
    return (scope: Scope): boolean => value.kind === 'local' || value.scopes.includes(scope)
  })

  constructor(private readonly remote: boolean = isRemote()) {}
}
