// Has a redirect to the image bucket stay at the console's origin. CloudFront runs it after each answer of the API.

function handler(event) {
  const response = event.response;
  const location = response.headers.location;
  if (location && location.value.startsWith(SITE.storage + "/")) {
    location.value = "/files" + location.value.slice(SITE.storage.length);
  }
  return response;
}
