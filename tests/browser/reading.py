"""What a page is like to who reads it: scripts that look at it as it is laid out."""

from __future__ import annotations

from typing import Any

import msgspec
from playwright.async_api import Page

_SHOWN = """
const shown = element => element.checkVisibility({visibilityProperty: true});
const reachable = () => [...document.querySelectorAll(
  'a[href], button, input:not([type=hidden]), select, summary, [tabindex="0"]')].filter(shown);
const told = element => `${element.tagName} ${element.id} ${
  (element.getAttribute('aria-label') || element.textContent || element.name).trim().slice(0, 40)}`;
const luminance = rgb => {
  const [r, g, b] = rgb.map(value => value / 255)
    .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const parts = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
const clear = colour => colour === 'none' || parts(colour)[3] === 0;
const ground = element => {
  for (let one = element; one; one = one.parentElement) {
    const colour = getComputedStyle(one).backgroundColor;
    if (!clear(colour)) return colour;
  }
  return 'rgb(255, 255, 255)';
};
const contrast = (one, other) => {
  const [low, high] = [one, other].map(colour => luminance(parts(colour).slice(0, 3)))
    .sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
"""
_WATCH = """() => {
  window.walked = [];
  document.addEventListener('focusin', event => {
    const style = getComputedStyle(event.target);
    const box = event.target.getBoundingClientRect();
    const seen = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
    window.walked.push({
      element: event.target,
      ring: seen && style.outlineStyle === 'solid' && parseFloat(style.outlineWidth) >= 2
        ? contrast(style.outlineColor, ground(event.target.parentElement)) : 0,
    });
  });
  return reachable().length;
}"""
_WALKED = """() => ({
  passed: window.walked.map(one => told(one.element)),
  ringless: window.walked.filter(one => one.ring < 3).map(one => told(one.element)),
  expected: reachable().map(told),
})"""
_SMALL = """() => reachable().filter(element => {
  const box = element.getBoundingClientRect();
  return !element.matches('.skip') && (box.width < 24 || box.height < 24);
}).map(told)"""
_SQUEEZED = """() => [...document.querySelectorAll('td, th, dd, dt')].filter(cell => {
  const box = cell.getBoundingClientRect();
  return shown(cell) && cell.textContent.trim().length > 3 && box.width > 1 && box.width < 32;
}).map(told)"""
_CUT = """() => [...document.querySelectorAll('main, main *, header, header *')].filter(element => {
  const box = element.getBoundingClientRect();
  return shown(element) && !element.closest('.unseen, thead, svg')
    && (box.right > innerWidth + 1 || box.left < -1);
}).map(told)"""
_FAINT = """() => {
  const found = [];
  const note = (what, colour, behind, least) => {
    const ratio = contrast(colour, behind);
    if (ratio < least) found.push(`${what}: ${colour} on ${behind}: ${ratio.toFixed(2)}`);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let counted = 0;
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !shown(element)) continue;
    const style = getComputedStyle(element);
    const inside = element.closest('svg');
    if (inside && element.tagName !== 'text') continue;
    note(texts.currentNode.data.trim().slice(0, 40), inside ? style.fill : style.color,
      ground(element), 4.5);
    counted += 1;
  }
  for (const input of document.querySelectorAll('input:not([type=hidden]), select, button')) {
    if (!shown(input)) continue;
    const style = getComputedStyle(input);
    note(`edge of ${told(input)}`, style.borderTopColor, ground(input.parentElement), 3);
    if (input.placeholder)
      note('placeholder', getComputedStyle(input, '::placeholder').color, ground(input), 4.5);
  }
  for (const bar of document.querySelectorAll('.bar')) {
    const fill = bar.querySelector('.fill');
    if (!fill) continue;
    const colour = getComputedStyle(fill).fill;
    note('bar', colour, ground(bar), 3);
    note('bar on its rail', colour, getComputedStyle(bar.querySelector('.rail')).fill, 3);
  }
  for (const line of document.querySelectorAll('.series line'))
    note('line of the chart', getComputedStyle(line).stroke, ground(line), 3);
  for (const mark of document.querySelectorAll('.mark svg'))
    note('mark', getComputedStyle(mark).color, ground(mark), 3);
  return {found: [...new Set(found)], counted};
}"""


class Walk(msgspec.Struct, frozen=True):
    """Where Tab came by, where its ring could not be seen (less than 3 : 1, or not in the
    window), and everything that it should come by, in order.
    """

    passed: list[str]
    ringless: list[str]
    expected: list[str]


async def walk(page: Page) -> Walk:
    """Press Tab from the top of the page to its end."""
    count = int(await _run(page, _WATCH))
    # A page that begins in the middle is walked to its end first.
    focused = await page.evaluate("document.activeElement !== document.body")
    for _ in range(2 * count + 1 if focused else count):
        await page.keyboard.press("Tab")
    found = msgspec.convert(await _run(page, _WALKED), Walk)
    first = found.passed.index(found.expected[0])
    return msgspec.structs.replace(found, passed=found.passed[first : first + count])


async def small(page: Page) -> list[str]:
    """What a finger is to hit and has less than 24 by 24 pixels."""
    return list(await _run(page, _SMALL))


async def unreadable(page: Page) -> list[str]:
    """What is squeezed to a few letters a line, or stands outside of the window."""
    return [*await _run(page, _SQUEEZED), *await _run(page, _CUT)]


async def faint(page: Page) -> list[str]:
    """Text below 4.5 : 1, and bars, lines and edges below 3 : 1, as they are painted."""
    result = await _run(page, _FAINT)
    assert result["counted"] > 3
    return list(result["found"])


async def _run(page: Page, function: str) -> Any:
    return await page.evaluate(f"(() => {{ {_SHOWN} return ({function})(); }})()")
