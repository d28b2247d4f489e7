/** Entry of the page in a browser. */

import { bootstrap } from './bootstrap'
import { isRemote } from './lib/remote'
import { routeOf } from './lib/route'
import { library } from './library/libraryState.svelte'
import { filterOf } from './library/photoPlaces'
import { keepScrollPlace } from './library/scrollPlace'
import Shell from './Shell.svelte'

const filter = filterOf(location.hash)
if (filter) library.show(filter)
keepScrollPlace(library)
// On the way while the page is put up. A server first says whether this user may see photos.
if (routeOf(location.hash).page === 'photos' && !isRemote()) void library.read()
bootstrap(Shell)
