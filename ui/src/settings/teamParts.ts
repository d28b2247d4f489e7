/** What is loaded once this computer joined a team. */
export { default as TeamAddress } from './TeamAddress.svelte'
export { default as TeamFolders } from './TeamFolders.svelte'
