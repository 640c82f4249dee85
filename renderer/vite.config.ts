import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/**
 * Builds the studio's face into dist/renderer. Paths are relative, so that the same files are served by the desktop
 * window's own protocol and by the loopback web host.
 * WHITTLE_RENDERER_TARGET overrides the browser the output is written for (the old-Electron test lane uses chrome83).
 */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [react()],
  build: {
    outDir: fileURLToPath(new URL('../dist/renderer', import.meta.url)),
    emptyOutDir: true,
    target: process.env.WHITTLE_RENDERER_TARGET ?? 'chrome130',
    // Inlined assets would need data: in the content security policy for every kind of file.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
});
