import { bootEngine } from './bootstrap'
import { runDesktopHost } from './hosts/desktop/host'

void runDesktopHost({ main_dir: import.meta.dirname, boot: bootEngine })
