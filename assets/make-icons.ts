/**
 * Draws the .ico and .png files from the .svg sources beside them: `node assets/make-icons.ts`. The results are checked
 * in, so that a build needs no browser. Chromium draws: CHROMIUM, else /usr/bin/chromium.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { writeIco } from './ico.ts';

/** What Windows asks for at 100 % to 400 % scale. */
const sizes = [16, 20, 24, 32, 40, 48, 64, 256] as const;
const shapes = ['idle', 'running', 'waiting', 'stuck', 'orphan', 'offline'] as const;

/** Named after the taskbar that the icon lies on. Accents are the console's colours, ui.md 4.4. */
const taskbars = {
  light: { ink: '#1B1B1B', accents: { stuck: ['#B3261E', '#FFFFFF'], orphan: ['#6B2A8C', '#FFFFFF'] } },
  dark: { ink: '#FFFFFF', accents: { stuck: ['#FF99A4', '#1B1B1B'], orphan: ['#D4A8F5', '#1B1B1B'] } },
} as const;

const folder = import.meta.dirname;
await using browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium' });
const page = await browser.newPage();

for (const shape of shapes)
  for (const [taskbar, { ink, accents }] of Object.entries(taskbars)) {
    const [accent, onAccent] = shape === 'stuck' || shape === 'orphan' ? accents[shape] : [ink, ink];
    const style = `--ink:${ink};--accent:${accent};--on-accent:${onAccent}`;
    const source = readFileSync(join(folder, 'tray', `${shape}.svg`), 'utf8');
    const name = join(folder, 'tray', `${shape}-${taskbar}`);
    writeFileSync(`${name}.ico`, writeIco(await images(page, source, style)));
    // Desktops on Linux take one image and its double.
    writeFileSync(`${name}.png`, await draw(page, source, 24, style));
    writeFileSync(`${name}@2x.png`, await draw(page, source, 48, style));
  }

const app = readFileSync(join(folder, 'icons', 'app.svg'), 'utf8');
writeFileSync(join(folder, 'icons', 'app.ico'), writeIco(await images(page, app, '')));
writeFileSync(join(folder, 'icons', 'app.png'), await draw(page, app, 512, ''));

async function images(on: Page, source: string, style: string) {
  const drawn = [];
  for (const size of sizes) drawn.push({ size, png: await draw(on, source, size, style) });
  return drawn;
}

async function draw(on: Page, source: string, size: number, style: string): Promise<Buffer> {
  await on.setViewportSize({ width: size, height: size });
  await on.setContent(
    `<style>html,body{margin:0;background:transparent}svg{display:block;width:${size}px;height:${size}px}</style><div style="${style}">${source}</div>`,
  );
  return on.screenshot({ omitBackground: true, clip: { x: 0, y: 0, width: size, height: size } });
}
