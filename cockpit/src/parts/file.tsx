import { visible } from '../../../src/model/refusal.ts';
import { Copy } from './copy.tsx';

/** A file with what is to stand in it. It is scrolled with the keys too, once it has the focus. */
export function File({ path, text }: { readonly path: string; readonly text: string }) {
  const shown = visible(path);
  return (
    <figure className="hnet-file">
      <figcaption className="hnet-row">
        <code>{shown}</code>
        <Copy text={text} what={shown} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it with the keys */}
      <pre tabIndex={0}>{text.split('\n').map(visible).join('\n')}</pre>
    </figure>
  );
}
