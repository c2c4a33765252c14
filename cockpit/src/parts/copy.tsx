import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import CheckIcon from '@patternfly/react-icons/dist/esm/icons/check-icon.js';
import CopyIcon from '@patternfly/react-icons/dist/esm/icons/copy-icon.js';
import { useEffect, useState } from 'react';
import { copyText } from '../door/clipboard.ts';
import { texts } from '../texts.ts';

/** How long it says so, in milliseconds. */
const SAID = 2000;

/** Copies a text. @param what it is, for those who don't see the icon */
export function Copy({ text, what = text }: { readonly text: string; readonly what?: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = window.setTimeout(() => setCopied(false), SAID);
    return () => window.clearTimeout(timer);
  }, [isCopied]);
  return (
    <Button
      variant="plain"
      size="sm"
      aria-label={isCopied ? texts.copied : texts.copy(what)}
      icon={isCopied ? <CheckIcon /> : <CopyIcon />}
      onClick={() => {
        copyText(text);
        setCopied(true);
      }}
    />
  );
}

/** A command or another short text in its own type, with a button that copies it. */
export function Command({ text }: { readonly text: string }) {
  return (
    <span className="hnet-command">
      <code>{text}</code>
      <Copy text={text} />
    </span>
  );
}
