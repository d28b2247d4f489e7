/** Starts the small window. */

import { begin } from './begin'
import Popup from './pages/Popup.svelte'

begin(Popup, true)
