/** Starts the page for a browser. */

import { begin } from './begin'
import { routeOf } from './lib/route'
import { library } from './library/library.svelte'
import Shell from './Shell.svelte'

// On the way while the page is put up.
if (routeOf(location.hash).page === 'photos') void library.read()
begin(Shell)
