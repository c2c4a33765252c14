/** Copies a text. Browsers have their clipboard API only where the page came by TLS, or from this very machine. */
export function copyText(text: string): void {
  if (navigator.clipboard !== undefined) {
    // A browser that refuses has told the person so.
    navigator.clipboard.writeText(text).catch(() => copyBySelection(text));
    return;
  }
  copyBySelection(text);
}

function copyBySelection(text: string): void {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'hnet-unseen';
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
