"""Names of a city that does not exist (明湖市), and ids that look real and are not."""

import numpy as np

DISTRICTS = ("东城区", "西城区", "高新区", "临港区", "北山县")
CITY = "明湖"
_BRANDS = (
    "恒泰", "宏远", "鑫源", "华瑞", "金鼎", "永盛", "德隆", "博科", "瑞丰", "东岳",
    "天成", "同辉", "国兴", "万和", "信达", "嘉业", "汇通", "昌明", "立诚", "佳禾",
    "正阳", "安泰", "富康", "利民", "顺达", "海纳", "泰山石", "新纪元", "银河", "百川",
)  # fmt: skip
_SUFFIXES = ("有限公司", "有限责任公司", "股份有限公司", "厂")
_CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CENTRES = {  # lon, lat of the imaginary districts
    "东城区": (117.12, 36.66),
    "西城区": (116.94, 36.65),
    "高新区": (117.24, 36.69),
    "临港区": (117.33, 36.84),
    "北山县": (116.86, 36.98),
}


def company_name(rng: np.random.Generator, product: str, rank: int) -> str:
    """A company's full name; `rank` keeps names of one city apart."""
    brand = _BRANDS[rank % len(_BRANDS)]
    series = "" if rank < len(_BRANDS) else "二三四五六七八九十"[min(rank // len(_BRANDS) - 1, 8)]
    serial = "" if rank < len(_BRANDS) * 10 else f"（{rank}）"
    suffix = str(rng.choice(_SUFFIXES, p=(0.62, 0.16, 0.1, 0.12)))
    return f"{CITY}{brand}{series}{product}{serial}{suffix}"


def credit_code(rng: np.random.Generator) -> str:
    """A unified social credit code whose check digit is right (GB 32100-2015)."""
    body = "91" + "370199" + "MA" + "".join(rng.choice(list(_CODE_ALPHABET), size=7))
    weights = [pow(3, place, 31) for place in range(17)]
    total = sum(_CODE_ALPHABET.index(c) * w for c, w in zip(body, weights, strict=True))
    return body + _CODE_ALPHABET[(31 - total % 31) % 31]


def position(rng: np.random.Generator, district: str) -> tuple[float, float]:
    """(lon, lat) within a few kilometres of the district's centre."""
    lon, lat = _CENTRES[district]
    return round(lon + rng.normal(0, 0.025), 5), round(lat + rng.normal(0, 0.02), 5)
