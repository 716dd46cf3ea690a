'use strict';
(() => {
  const by = (id) => document.getElementById(id);
  const all = (what, inside = document) => [...inside.querySelectorAll(what)];
  const count = (number, noun) => `${number} ${noun}${number === 1 ? '' : 's'}`;
  for (const each of all('.script'))
    each.hidden = false;

  // The theme: the system's until the button is used.
  const theme = by('theme');
  const system = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () =>
      (document.documentElement.dataset.theme || (system.matches ? 'dark' : 'light')) === 'dark';
  const nameTheme = () => {
    theme.textContent = isDark() ? 'Light' : 'Dark';
  };
  theme.addEventListener('click', () => {
    document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
    nameTheme();
  });
  system.addEventListener('change', nameTheme);
  nameTheme();

  // A link into something that is folded unfolds it.
  const reveal = (element) => {
    for (let at = element; at; at = at.parentElement)
      if (at.tagName === 'DETAILS') at.open = true;
  };
  const follow = () => {
    const target = location.hash && by(location.hash.slice(1));
    if (!target) return;
    reveal(target);
    target.scrollIntoView();
  };
  addEventListener('hashchange', follow);
  // A link to where one is already changes no hash.
  document.addEventListener('click', (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#"]');
    if (link) setTimeout(follow);
  });
  if (location.hash) follow();

  // Work on many elements in portions, so that the page never stands still. A new call of the same
  // worker ends the one before.
  const worker = () => {
    let turn = 0;
    return (items, use, done) => {
      const mine = ++turn;
      let at = 0;
      const go = () => {
        if (mine !== turn) return;
        const until = performance.now() + 12;
        while (at < items.length && performance.now() < until)
          use(items[at++]);
        if (at < items.length)
          setTimeout(go);
        else if (done)
          done();
      };
      go();
    };
  };

  // Stacks come as lines with tabs between number, function and place. Those that come into view
  // are laid out.
  const element = (tag, text, name) => {
    const made = document.createElement(tag);
    if (text) made.textContent = text;
    if (name) made.className = name;
    return made;
  };
  const layOut = (number, name, where) => {
    if (number === '') return element('div', where.slice(2), 'code');
    const frame = element('div', '', 'frame');
    const what = element('div');
    what.append(element('code', name), ' ', element('span', where));
    frame.append(element('b', number), ' ', what);
    return frame;
  };
  // Safari, and Chromium before 151, split a text that is longer than 65,536 characters into several
  // nodes: the first one tells that a stack is still text, and all of them are what it says.
  const isRaw = (stack) => stack.firstChild && stack.firstChild.nodeType === Node.TEXT_NODE;
  const dress = (stack) => {
    let into = stack;
    let folded = 0;
    const lines = stack.textContent.split('\n');
    stack.replaceChildren();
    for (const line of lines) {
      if (line === '') continue;
      const [number, name, where] = line.split('\t');
      if (number !== '' && folded-- <= 0) into = stack;
      if (number === '+') {
        folded = Number(where);
        into = element('details');
        into.append(element('summary', name));
        stack.append(into);
      } else {
        into.append(layOut(number, name, where));
      }
    }
  };
  let mark = () => {};
  const inView = new IntersectionObserver((entries) => {
    for (const each of entries) {
      if (!each.isIntersecting) continue;
      inView.unobserve(each.target);
      if (isRaw(each.target)) dress(each.target);
    }
    mark();  // what is laid out anew
  }, {rootMargin: '500px'});
  const dressBelow = (details) => {
    for (const stack of all(':scope > .stack', details))
      inView.observe(stack);
  };
  document.addEventListener('toggle', (event) => {
    if (event.target.open) dressBelow(event.target);
  }, true);
  for (const each of all('details[open]'))
    dressBelow(each);

  const unfold = by('unfold');
  const folding = worker();
  unfold.addEventListener('click', () => {
    const open = unfold.getAttribute('aria-pressed') !== 'true';
    unfold.setAttribute('aria-pressed', open);
    unfold.textContent = open ? 'Fold all' : 'Unfold all';
    folding(all('main details.group'), (each) => {
      each.open = open;
    });
  });

  // Search: what does not have the text is hidden, the smallest pieces that stand for themselves
  // being groups, findings, rows of tables and entries of lists. What the page is used by stays: a
  // filter that could not be seen could not be undone.
  const search = by('search');
  const found = by('found');
  const next = by('next');
  const pieces =
      'details.group, article, main > section > p:not(.script), main tbody tr, main > section > details dl > div, ' +
      'main > section > dl > div, main > section > ul > li, main > section > pre';
  const searching = worker();
  let texts = null;  // of the pieces, in lower case
  let hits = [];
  let shown = -1;
  const textOf = (piece) => {
    let text = texts.get(piece);
    if (text === undefined) texts.set(piece, text = piece.textContent.toLowerCase());
    return text;
  };
  const highlight = (wanted) => {
    if (!globalThis.Highlight || !CSS.highlights) return;
    CSS.highlights.delete('found');
    if (!wanted) return;
    const ranges = [];
    for (const piece of hits.slice(0, 200)) {
      const walk = document.createTreeWalker(piece, NodeFilter.SHOW_TEXT);
      for (let node = walk.nextNode(); node && ranges.length < 1000; node = walk.nextNode()) {
        const text = node.data.toLowerCase();
        for (let at = text.indexOf(wanted); at >= 0;
             at = text.indexOf(wanted, at + wanted.length)) {
          if (at + wanted.length > node.data.length) break;
          const range = new Range();
          range.setStart(node, at);
          range.setEnd(node, at + wanted.length);
          ranges.push(range);
        }
      }
    }
    CSS.highlights.set('found', new Highlight(...ranges));
  };
  const find = () => {
    const wanted = search.value.trim().toLowerCase();
    const everything = all(pieces);
    texts = texts || new Map();
    hits = [];
    shown = -1;
    next.hidden = true;
    found.textContent = wanted ? 'Searching' : '';
    // What fits is seen first and shown then, all at once: the page is laid out once.
    const fits = new Set();
    searching(
        everything,
        (piece) => {
          if (!wanted || textOf(piece).includes(wanted)) fits.add(piece);
        },
        () => {
          for (const piece of everything)
            if (piece.hidden === fits.has(piece)) piece.hidden = !piece.hidden;
          if (wanted) hits = [...fits].filter((piece) => !piece.classList.contains('filtered'));
          found.textContent = wanted ? count(hits.length, 'place') : '';
          next.hidden = hits.length === 0;
          highlight(wanted);
        });
  };
  const goOn = () => {
    if (hits.length === 0) return;
    shown = (shown + 1) % hits.length;
    const hit = hits[shown];
    reveal(hit);
    const to = hit.querySelector('summary') || hit;
    if (to === hit) hit.tabIndex = -1;
    to.focus({preventScroll: true});
    hit.scrollIntoView({block: 'center'});
    found.textContent = `${shown + 1} of ${count(hits.length, 'place')}`;
  };
  mark = () => highlight(search.value.trim().toLowerCase());
  search.addEventListener('input', find);
  search.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') goOn();
    if (event.key === 'Escape') {
      search.value = '';
      find();
    }
  });
  next.addEventListener('click', goOn);
  addEventListener('keydown', (event) => {
    const typing = /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    }
  });

  // Options. The filter has a mark of its own: the search shows and hides rows, too, and each of the
  // two would undo the other.
  const filter = by('filter');
  if (filter)
    filter.addEventListener('input', () => {
      const wanted = filter.value.trim().toLowerCase();
      let left = 0;
      for (const row of all('#options tbody tr')) {
        const fits = row.textContent.toLowerCase().includes(wanted);
        row.classList.toggle('filtered', !fits);
        if (fits) ++left;
      }
      by('filtered').textContent = wanted ? count(left, 'option') : '';
      if (search.value.trim()) find();  // the places that it goes to are those that are seen
    });

  // The icicle: all stacks of the page merged from the outermost frame on.
  const make = (name, parent) => ({name, parent, count: 0, children: new Map()});
  const functionsOf = (stack) => {
    if (!isRaw(stack)) return all('code', stack).map((each) => each.textContent);
    return stack.textContent.split('\n')
        .map((line) => line.split('\t'))
        .filter((line) => line[1] && line[0] !== '+')
        .map((line) => line[1]);
  };
  const merge = (done) => {
    const root = make('all', null);
    worker()(all('.group > .stack'), (stack) => {
      const weight = Number(stack.dataset.count);
      let node = root;
      root.count += weight;
      for (const name of functionsOf(stack).reverse()) {
        let child = node.children.get(name);
        if (!child) node.children.set(name, child = make(name, node));
        child.count += weight;
        node = child;
      }
    }, () => done(root));
  };
  const cells = by('cells');
  const rowHeight = 23;
  let root = null;
  let top = null;
  const hue = (name) => {
    let sum = 0;
    for (let at = 0; at < name.length; ++at)
      sum = (sum * 31 + name.charCodeAt(at)) % 997;
    return sum % 360;
  };
  const place = (node, left, width, row, into) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = node.name;
    button.title = `${node.name}: ${node.count} of ${root.count}`;
    button.setAttribute('aria-label', button.title);
    button.tabIndex = node === top ? 0 : -1;
    button.style.left = `${left}px`;
    button.style.width = `${width}px`;
    button.style.top = `${row * rowHeight}px`;
    button.style.background = `hsl(${hue(node.name)} 60% 80%)`;
    button.node = node;
    node.button = button;
    into.append(button);
  };
  const draw = (focus) => {
    const into = document.createDocumentFragment();
    const width = cells.clientWidth;
    let deepest = 0;
    const open = [[top, 0, width, 0]];
    while (open.length) {
      const [node, left, room, row] = open.pop();
      node.button = null;
      if (room < 2) continue;  // too narrow to be seen: it is there when one zooms
      place(node, left, room, row, into);
      deepest = Math.max(deepest, row);
      let from = left;
      for (const child of [...node.children.values()].sort((a, b) => b.count - a.count)) {
        const part = room * child.count / node.count;
        open.push([child, from, part, row + 1]);
        from += part;
      }
    }
    cells.replaceChildren(into);
    cells.style.height = `${(deepest + 1) * rowHeight}px`;
    by('out').disabled = top === root;
    by('zoomed').textContent =
        top === root ? count(root.count, 'stack') : `${top.name}: ${top.count} of ${root.count}`;
    if (focus) top.button.focus();
  };
  const zoom = (node) => {
    top = node;
    draw(true);
  };
  const step = (from, key) => {
    const beside =
        from.parent && [...from.parent.children.values()].sort((a, b) => b.count - a.count);
    if (key === 'ArrowDown')
      return [...from.children.values()].sort((a, b) => b.count - a.count)[0];
    if (key === 'ArrowUp') return from === top ? null : from.parent;
    if (!beside || from === top) return null;
    return beside[beside.indexOf(from) + (key === 'ArrowRight' ? 1 : -1)];
  };
  cells.addEventListener('click', (event) => {
    if (event.target.node) zoom(event.target.node);
  });
  cells.addEventListener('keydown', (event) => {
    const node = event.target.node;
    if (!node) return;
    if (event.key === 'Escape' && top !== root) {
      event.preventDefault();
      zoom(top.parent);
    }
    if (!event.key.startsWith('Arrow')) return;
    event.preventDefault();
    const to = step(node, event.key);
    if (to && to.button) {
      node.button.tabIndex = -1;
      to.button.tabIndex = 0;
      to.button.focus();
    }
  });
  by('out').addEventListener('click', () => {
    top = top.parent;
    draw(false);
  });
  // Only when it comes into view: most readers want the findings.
  const begin = () => merge((made) => {
    root = top = made;
    if (root.count === 0) {
      by('icicle').hidden = true;
      return;
    }
    draw(false);
    let width = cells.clientWidth;
    new ResizeObserver(() => {
      if (cells.clientWidth === width) return;
      width = cells.clientWidth;
      draw(false);
    }).observe(cells);
  });
  const watch = new IntersectionObserver((entries) => {
    if (!entries.some((each) => each.isIntersecting)) return;
    watch.disconnect();
    begin();
  }, {rootMargin: '300px'});
  watch.observe(by('icicle'));
})();
