// A real Chromium, and pages in it that are watched: whatever a page says on its console or asks of a network is kept.

import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = PLACES.find((place) => place && existsSync(place));

const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu", "--hide-scrollbars",
  "--no-first-run", "--no-default-browser-check", "--disable-default-apps", "--disable-domain-reliability", "--font-render-hinting=none"];

/// Chromium, without its sandbox where it runs as root, which it refuses otherwise.
export const launch = () => {
  const args = process.getuid?.() === 0 ? [...QUIET, "--no-sandbox"] : QUIET;
  return chromium.launch({ executablePath, args, headless: true, chromiumSandbox: false });
};

/// Opens a file in a window; `complaints` gathers errors of the console, exceptions and requests that are not for the file itself.
export const open = async (browser, file, { width = 1400, height = 900, scheme = "light", script = true, scale = 1 } = {}) => {
  const look = { viewport: { width, height }, colorScheme: scheme, deviceScaleFactor: scale };
  const context = await browser.newContext({ ...look, javaScriptEnabled: script, acceptDownloads: true, reducedMotion: "reduce" });
  const page = await context.newPage();
  const own = pathToFileURL(file).href;
  const complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
  page.on("popup", (other) => complaints.push(`window: ${other.url()}`));
  context.on("request", (request) => {
    const url = request.url();
    if (url.split("#")[0] !== own && !/^(?:data|blob):/.test(url)) complaints.push(`request: ${url.slice(0, 200)}`);
  });
  await page.goto(own);
  return { page, complaints, close: () => context.close() };
};
