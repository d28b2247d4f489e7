/** Starts the small window. */

import { begin } from './begin'
import Popup from './popup/Popup.svelte'

begin(Popup, true)
