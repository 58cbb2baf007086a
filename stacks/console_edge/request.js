// Where a request to the console's origin goes. CloudFront runs it before each request; `SITE` is put before it at synthesis.
// The laptop says the same in laptop/front_routes.py; tests/console_routes.py is held against both.

// A part of a path that leads elsewhere: nobody who means well sends one, for browsers resolve them before.
const DOTS = /(^|[/\\])(\.|%2e){1,2}($|[/\\])/i;
const LOOKING = ["GET", "HEAD"];

function handler(event) {
  const request = event.request;
  const uri = request.uri;
  if (DOTS.test(uri)) return notFound();
  if (uri.startsWith("/api/")) return passOn(request, null, uri.slice("/api".length));
  if (uri === "/live") return passOn(request, ["GET"], SITE.live);
  if (uri === "/sign-in") return passOn(request, ["POST"], "/");
  if (uri.startsWith("/files/")) {
    // A presigned address is leave enough, and S3 refuses two kinds of it.
    delete request.headers.authorization;
    return passOn(request, ["GET", "HEAD", "POST"], uri.slice("/files".length));
  }
  const name = uri === "/" ? SITE.front : uri;
  return SITE.files.includes(name) ? passOn(request, LOOKING, name) : notFound();
}

function passOn(request, allowed, uri) {
  if (allowed && !allowed.includes(request.method)) {
    return answer(405, "Method Not Allowed", { allow: { value: allowed.join(", ") } }, "This path has other methods.");
  }
  request.uri = uri;
  return request;
}

function notFound() {
  const type = { "content-type": { value: "text/html; charset=utf-8" } };
  return answer(404, "Not Found", type, SITE.notFound);
}

function answer(statusCode, statusDescription, headers, data) {
  // What is answered here passes no policy of response headers.
  for (const name in SITE.headers) headers[name] = { value: SITE.headers[name] };
  return { statusCode, statusDescription, headers, body: { encoding: "text", data } };
}
