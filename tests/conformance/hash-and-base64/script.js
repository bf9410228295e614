const bytes = skill.base64.decode("AP8H");
[skill.hash.sha256("ž"), skill.hash.crc32(bytes), skill.base64.encode("žluť"), skill.base64.decode("xb5sdcWl"), skill.base64.encode(bytes)];
