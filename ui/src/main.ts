/** Entry of the page in a browser. */

import { bootstrap } from './bootstrap'
import { routeOf } from './lib/route'
import { library } from './library/libraryState.svelte'
import Shell from './Shell.svelte'

// On the way while the page is put up.
if (routeOf(location.hash).page === 'photos') void library.read()
bootstrap(Shell)
