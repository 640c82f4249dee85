// Runs before the real preload: Electron 9 gives a dropped file its path as a property.
require('electron').webUtils = { getPathForFile: (file) => file.path };
