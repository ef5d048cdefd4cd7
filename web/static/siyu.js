/* Enhances pages that work without it: clocks tick by the server's time, a
   button is not tapped twice, waiting pages renew themselves. Plain ES5, for
   the browsers inside other apps. */
(function () {
  'use strict';
  var html = document.documentElement;
  var skew = Number(html.getAttribute('data-now') || Date.now()) - Date.now();
  var words = (html.getAttribute('data-units') || '天,时,分,秒').split(',');

  // A page that answers a form is opened again at its own address.
  var home = html.getAttribute('data-home') || location.href;

  function now() { return Date.now() + skew; }
  function two(n) { return (n < 10 ? '0' : '') + n; }

  function face(ms) {
    var s = Math.max(0, Math.floor(ms / 1000));
    var d = Math.floor(s / 86400), out = '';
    if (d > 0) { out += '<b>' + d + '</b>' + words[0]; }
    out += '<b>' + two(Math.floor(s % 86400 / 3600)) + '</b>' + words[1];
    out += '<b>' + two(Math.floor(s % 3600 / 60)) + '</b>' + words[2];
    out += '<b>' + two(s % 60) + '</b>' + words[3];
    return out;
  }

  // A clock that ran out asks for the page again, once, at a moment of its
  // own, so that a thousand phones do not ask in the same second. A page in
  // which somebody is choosing is left alone.
  var due = false, touched = false;
  function again() {
    if (due) { return; }
    due = true;
    setTimeout(function () {
      if (!touched && !document.querySelector('.busy')) { location.replace(home); }
    }, 800 + Math.random() * 2200);
  }

  function tick() {
    var list = document.querySelectorAll('[data-until]');
    for (var i = 0; i < list.length; i++) {
      var ms = Number(list[i].getAttribute('data-until')) - now();
      if (ms <= 0 && list[i].getAttribute('data-then') === 'reload') { again(); }
      var text = face(ms);
      if (list[i].innerHTML !== text) { list[i].innerHTML = text; }
    }
  }

  document.addEventListener('change', function (e) {
    touched = true;
    var from = e.target, form = from.form;
    if (!form || form.id !== 'take' && form.id !== 'join') { return; }
    var item = form.querySelector('input[name=item]:checked') || form.querySelector('[data-fen]');
    var qty = form.querySelector('select[name=qty]');
    var sum = document.getElementById('sum');
    if (!item || !sum) { return; }
    var size = form.querySelector('select[name=size]'), each = item.getAttribute('data-fen');
    var fens = (item.getAttribute('data-fens') || '').split(' ');
    for (var i = 0; size && i < fens.length; i++) {
      if (fens[i].split(':')[0] === size.value) { each = fens[i].split(':')[1]; }
    }
    var quote = document.getElementById('quote'), name = document.getElementById('sum-name');
    if (quote) { quote.parentNode.removeChild(quote); }
    if (name) { name.innerHTML = name.getAttribute('data-plain'); }
    var fen = Number(each) * (qty ? Number(qty.value) : 1);
    sum.innerHTML = '¥<b>' + String(Math.floor(fen / 100)).replace(/\B(?=(\d{3})+$)/g, ',') + '</b>.' + two(fen % 100);
  });

  document.addEventListener('submit', function (e) {
    var form = e.target;
    if (form.getAttribute('data-sent')) { e.preventDefault(); return; }
    form.setAttribute('data-sent', '1');
    var b = e.submitter || form.querySelector('button[type=submit]') || document.querySelector('button[form=' + form.id + ']:not([name])');
    if (b) { b.className += ' busy'; b.setAttribute('aria-busy', 'true'); b.innerHTML = b.getAttribute('data-busy') || b.innerHTML; }
  });
  // Coming back by the browser's arrow shows the kept page: open it again.
  window.addEventListener('pageshow', function (e) {
    if (e.persisted) { location.reload(); }
  });

  // data-live: renew this part of the page every few seconds while somebody
  // looks, slower and slower, and stop once it no longer carries the mark.
  var wait = 4000;
  function renew() {
    var part = document.querySelector('[data-live]');
    if (!part) { return; }
    if (document.hidden) { setTimeout(renew, wait); return; }
    var x = new XMLHttpRequest();
    x.open('GET', home);
    x.onload = function () {
      if (x.status === 200) {
        var fresh = new DOMParser().parseFromString(x.responseText, 'text/html').getElementById(part.id);
        if (fresh && fresh.innerHTML !== part.getAttribute('data-was')) {
          var was = fresh.innerHTML;
          part.parentNode.replaceChild(fresh, part);
          if (fresh.hasAttribute('data-live')) { fresh.setAttribute('data-was', was); }
          tick();
        }
      }
      wait = Math.min(wait * 1.2, 30000);
      setTimeout(renew, wait);
    };
    x.onerror = function () { wait = Math.min(wait * 2, 60000); setTimeout(renew, wait); };
    x.send();
  }

  function copies(b) {
    b.hidden = false;
    b.addEventListener('click', function () {
      var text = document.getElementById(b.getAttribute('data-copy'));
      navigator.clipboard.writeText(text.innerText).then(function () { b.innerHTML = b.getAttribute('data-done'); });
    });
  }
  var shares = document.querySelectorAll('[data-copy]');
  for (var n = 0; navigator.clipboard && n < shares.length; n++) { copies(shares[n]); }

  // A payment that waits for a tap: WeChat's own sheet confirms it, and exists
  // inside WeChat alone.
  function receive(b) {
    b.hidden = false;
    var outside = b.parentNode.querySelector('[data-outside]');
    if (outside) { outside.hidden = true; }
    b.addEventListener('click', function () {
      window.WeixinJSBridge.invoke('requestMerchantTransfer', {
        mchId: b.getAttribute('data-mch'), appId: b.getAttribute('data-app'), 'package': b.getAttribute('data-package')
      }, function (r) {
        if (r.err_msg === 'requestMerchantTransfer:ok') { location.replace(home); }
        else if (/not exist|not_exist|function_not/.test(r.err_msg)) { b.innerHTML = b.getAttribute('data-old'); b.disabled = true; }
      });
    });
  }
  function inside() {
    var list = document.querySelectorAll('[data-package]');
    for (var i = 0; i < list.length; i++) { receive(list[i]); }
  }
  if (window.WeixinJSBridge) { inside(); } else { document.addEventListener('WeixinJSBridgeReady', inside); }

  // At an event's door: a browser that reads codes itself fills the field from
  // its camera or a picture, and sends it. Once it was opened, the camera opens
  // again on the page that says what came of the last code.
  function door(box) {
    var form = document.getElementById('seen'), video = box.querySelector('video'), button = box.querySelector('button');
    var none = box.querySelector('[data-none]'), eye = new window.BarcodeDetector({ formats: ['qr_code'] });
    var last = sessionStorage.getItem('scan-last'), sent = false;
    function found(list) {
      if (sent || !list.length) { return false; }
      var code = list[0].rawValue;
      if (code === last) { return true; }
      sent = true;
      sessionStorage.setItem('scan-last', code);
      form.elements.seat.value = code;
      form.querySelector('button').click();
      return true;
    }
    function look() {
      if (sent) { return; }
      eye.detect(video).then(found, function () {}).then(function () { setTimeout(look, 250); });
    }
    function open() {
      navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } }).then(function (stream) {
        sessionStorage.setItem('scan-on', '1');
        video.srcObject = stream;
        video.play();
        button.innerHTML = button.getAttribute('data-on');
        button.disabled = true;
        look();
      }, function () { sessionStorage.removeItem('scan-on'); button.hidden = true; });
    }
    box.hidden = false;
    button.hidden = !(navigator.mediaDevices && navigator.mediaDevices.getUserMedia);
    button.addEventListener('click', open);
    box.querySelector('input[type=file]').addEventListener('change', function (e) {
      last = null;
      createImageBitmap(e.target.files[0]).then(function (b) { return eye.detect(b); }).then(function (list) { none.hidden = found(list); }, function () { none.hidden = false; });
    });
    if (!button.hidden && sessionStorage.getItem('scan-on')) { open(); }
  }
  var box = document.querySelector('[data-scan]');
  if (box && window.BarcodeDetector) { door(box); }

  tick();
  setInterval(tick, 1000);
  setTimeout(renew, wait);
})();
