import { texts } from '../texts.ts';

export function WayUp({ onClose }: { readonly onClose: () => void }) {
  return (
    <p>
      {texts.limited.hint}
      <button type="button" onClick={onClose}>
        {texts.close}
      </button>
    </p>
  );
}
