/** The account's further ways to sign in, which the page loads after its first cards. */

export { default as Passkeys } from './Passkeys.svelte'
