/** Loaded by the pages for signing in and by the account's page. */
export const providerWays = (): Promise<typeof import('./providerWays')> => import('./providerWays')
