import { readdirSync, readFileSync } from 'node:fs';

/** What the licences of packages ask for: their names and the texts of the licences. @param folders of the packages */
export function notices(folders) {
  return [...new Set(folders)].sort().map(notice).join('\n');
}

function notice(folder) {
  const { name, version, license, author } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  if (license === undefined) throw new Error(`${folder} names no licence`);
  const file = readdirSync(folder).find(one => /^licen[cs]e(\.\w+)?$/i.test(one));
  const text =
    file === undefined
      ? `Copyright ${author?.name ?? author}; its package holds no text of its licence.`
      : readFileSync(`${folder}/${file}`, 'utf8').trim();
  return `${'='.repeat(78)}\n${name} ${version} (${license})\n\n${text}\n`;
}
