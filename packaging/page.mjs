import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** What the page may weigh as it is sent, in bytes: scripts and styles lie on the host compressed, as Cockpit sends them. */
const LIMIT = 300 * 1024;

/** Makes the page for Cockpit in a directory. @returns the metafiles of its bundles @throws if it has become too large */
export async function page(directory) {
  const made = await build({
    entryPoints: { index: 'cockpit/src/index.tsx' },
    outdir: directory,
    bundle: true,
    minify: true,
    // The oldest browsers that Cockpit 264 itself asks for.
    target: ['chrome111', 'firefox113', 'safari16.4'],
    format: 'iife',
    jsx: 'automatic',
    legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"' },
    // The page has the system's fonts, and no picture that isn't drawn.
    external: ['*.woff2', '*.svg'],
    plugins: [withoutFonts],
    preserveSymlinks: true,
    logLevel: 'warning',
    metafile: true,
  });
  for (const name of ['index.html', 'manifest.json']) cpSync(`cockpit/${name}`, join(directory, name));
  const sizes = ['index.js', 'index.css'].map(name => weigh(join(directory, name)));
  const total = sizes.reduce((sum, one) => sum + one, 0);
  if (total > LIMIT) throw new Error(`the page has ${total} bytes compressed, more than ${LIMIT}`);
  return made;
}

const weigh = file => gzipSync(readFileSync(file), { level: 9 }).length;

/** PatternFly's own fonts are larger than the whole page. */
const withoutFonts = {
  name: 'without-fonts',
  setup({ onLoad }) {
    onLoad({ filter: /react-core\/dist\/styles\/base(-no-reset)?\.css$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(/@font-face\s*\{[^}]*\}/g, ''),
      loader: 'css',
    }));
  },
};
